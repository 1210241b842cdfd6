package probe

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// patient is far longer than a wait that ends early may take.
const patient = 20 * time.Second

// waitPatiently waits for at most patient, and returns how long it took.
func waitPatiently(t *testing.T, config []byte, want Want) (time.Duration, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	defer cancel()
	began := time.Now()
	err := API{comes: time.Second}.Wait(ctx, config, want, nil)
	return time.Since(began), err
}

// TestWaitEndsEarly: a permanent error ends the wait in seconds, with its reason.
func TestWaitEndsEarly(t *testing.T) {
	t.Parallel()
	ready := &apiServer{nodes: []corev1.Node{node("a", true, "")}}
	good := string(ready.start(t))
	authority := func(config string) string {
		_, rest, _ := strings.Cut(config, "certificate-authority-data: ")
		ca, _, _ := strings.Cut(rest, "}")
		return ca
	}
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	empty := httptest.NewUnstartedServer(http.NotFoundHandler())
	empty.Config.ErrorLog = log.New(io.Discard, "", 0)
	empty.StartTLS()
	t.Cleanup(empty.Close)
	at := func(url string) string {
		_, rest, _ := strings.Cut(good, `server: "`)
		server, _, _ := strings.Cut(rest, `"`)
		return strings.Replace(good, server, url, 1)
	}
	for what, tt := range map[string]struct{ config, says string }{
		"an authority that did not sign":  {strings.Replace(good, authority(good), otherAuthority(t), 1), "certificate"},
		"an address in no certificate":    {strings.Replace(good, "https://127.0.0.1", "https://localhost", 1), "localhost"},
		"a token that is not known":       {strings.Replace(good, "secret", "public", 1), "the API server cannot be used"},
		"a server without TLS":            {at("https://" + plain.Listener.Addr().String()), "HTTP response to HTTPS client"},
		"a scheme of another protocol":    {strings.Replace(good, "https://", "http://", 1), "the API server cannot be used"},
		"a server that is something else": {at(empty.URL), "could not find the requested resource"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			took, err := waitPatiently(t, []byte(tt.config), Want{Nodes: 1})
			if err == nil || errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), tt.says) || took > patient/2 {
				t.Errorf("after %s: %v, want %q", took, err, tt.says)
			}
			if fault.HintOf(err) == "" {
				t.Errorf("%v has no hint", err)
			}
		})
	}
}

// otherAuthority returns a certificate authority that signed nothing, in the form of a kubeconfig.
func otherAuthority(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// TestRefusedForAMoment: a passing error of a starting server does not end the wait.
func TestRefusedForAMoment(t *testing.T) {
	t.Parallel()
	s := &apiServer{nodes: []corev1.Node{node("a", true, "")}, unknown: true}
	config := s.start(t)
	time.AfterFunc(certain/2, func() { s.change(func(s *apiServer) { s.unknown = false }) })
	if _, err := waitPatiently(t, config, Want{Nodes: 1}); err != nil {
		t.Error(err)
	}
}

// TestNodesGone: a deleted Node object does not return while its node runs. A node that has just started
// still registers, and so do the nodes of a new cluster.
func TestNodesGone(t *testing.T) {
	t.Parallel()
	names := []string{"a", "b"}
	long, short := time.Now().Add(-time.Hour), time.Now()
	for what, tt := range map[string]struct {
		want Want
		gone bool
	}{
		"it runs for long":    {Want{Nodes: 2, Names: names, Settled: true, Since: map[string]time.Time{"b": long}}, true},
		"unknown since when":  {Want{Nodes: 2, Names: names, Settled: true}, true},
		"it has just started": {Want{Nodes: 2, Names: names, Settled: true, Since: map[string]time.Time{"b": short}}, false},
		"the cluster is new":  {Want{Nodes: 2, Names: names}, false},
		"unknown node names":  {Want{Nodes: 2, Settled: true}, false},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := &apiServer{nodes: []corev1.Node{node("a", true, "")}}
			ctx, cancel := context.WithTimeout(t.Context(), 2*certain)
			defer cancel()
			err := API{}.Wait(ctx, s.start(t), tt.want, nil)
			gone, is := errors.AsType[*NodesGone](err)
			if is != tt.gone || is && !slices.Equal(gone.Names, []string{"b"}) {
				t.Errorf("%v, want gone %v", err, tt.gone)
			}
			if !is && !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v, want a timeout", err)
			}
		})
	}
	s := &apiServer{nodes: []corev1.Node{node("a-1", true, ""), node("b-1", true, "")}}
	if _, err := waitPatiently(t, s.start(t), Want{Nodes: 2, Names: names, Settled: true}); err != nil {
		t.Errorf("nodes that register under other names: %v", err)
	}
}

// TestWithout: a component that the configuration of the tool disables, or that a user removed, is
// reported and not waited for.
func TestWithout(t *testing.T) {
	t.Parallel()
	const noNetwork = "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized"
	yes, no := true, false
	one := []corev1.Node{node("a", true, "")}
	bare := []corev1.Node{node("a", true, noNetwork)}
	want := Want{Nodes: 1, DNS: true}
	with := func(w providers.Without, settled bool) Want {
		want := want
		want.Without, want.Settled = w, settled
		return want
	}
	for what, tt := range map[string]struct {
		server *apiServer
		want   Want
		absent string
		says   string // where it is waited for
	}{
		"no network plugin":            {&apiServer{nodes: bare, coredns: true}, with(providers.Without{CNI: true}, false), "network plugin (CNI)", ""},
		"one that was installed since": {&apiServer{nodes: one, coredns: true, dns: dns(&yes)}, with(providers.Without{CNI: true}, true), "", ""},
		"ill for another reason":       {&apiServer{nodes: []corev1.Node{node("a", true, "PLEG is not healthy")}}, with(providers.Without{CNI: true}, false), "", "node a to be ready"},
		"a network that is on its way": {&apiServer{nodes: bare}, want, "", "node a to be ready"},
		"no kube-proxy":                {&apiServer{nodes: one, coredns: true, dns: dns(&no)}, with(providers.Without{KubeProxy: true}, false), "kube-proxy", ""},
		"no DNS":                       {&apiServer{nodes: one}, with(providers.Without{DNS: true}, false), "DNS", ""},
		"DNS that a user removed":      {&apiServer{nodes: one}, with(providers.Without{}, true), "DNS", ""},
		"DNS that is not ready":        {&apiServer{nodes: one, coredns: true, dns: dns(&no)}, with(providers.Without{}, true), "", "DNS to be ready"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			config := tt.server.start(t)
			report, err := API{}.Look(t.Context(), config, tt.want)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(report.Absent, ", "); got != tt.absent {
				t.Errorf("it lacks %q, want %q", got, tt.absent)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 600*time.Millisecond)
			defer cancel()
			err = API{}.Wait(ctx, config, tt.want, nil)
			if (err == nil) != (tt.says == "") || (report.Lacks == nil) != (tt.says == "") || err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v, and a look finds %v; want %q", err, report.Lacks, tt.says)
			}
		})
	}
	// What a new cluster is to have may come some time after its nodes.
	took, err := waitPatiently(t, (&apiServer{nodes: one}).start(t), want)
	if err != nil || took < time.Second {
		t.Errorf("a new cluster without DNS: after %s: %v", took, err)
	}
}

// TestWaitForAPI: if nothing else is wanted, an answer of the API server ends the wait.
func TestWaitForAPI(t *testing.T) {
	t.Parallel()
	s := &apiServer{broken: 2}
	if took, err := waitPatiently(t, s.start(t), Want{}); err != nil || s.asked < 3 {
		t.Errorf("after %s and %d requests: %v", took, s.asked, err)
	}
}
