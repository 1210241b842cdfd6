package ready

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers"
)

// serve answers every request with a status and a body, and returns its port.
func serve(t *testing.T, status int, bodies map[string]string) (address string, port int) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		_, _ = fmt.Fprint(w, bodies[r.URL.Path])
	}))
	t.Cleanup(s.Close)
	address = s.Listener.Addr().String()
	_, text, err := net.SplitHostPort(address)
	if err == nil {
		port, err = strconv.Atoi(text)
	}
	if err != nil {
		t.Fatal(err)
	}
	return address, port
}

// TestIngress: any answer but a server error shows that the ingress works.
func TestIngress(t *testing.T) {
	t.Parallel()
	for status, says := range map[int]string{200: "", 404: "", 502: "502", 503: "503"} {
		_, port := serve(t, status, nil)
		l := &look{cluster: addons.Cluster{Ports: []providers.Port{{Host: 1, Container: 443}, {Host: port, Container: 80}}}}
		if got := l.ingress(t.Context(), 80); !strings.Contains(got, says) || (got == "") != (says == "") {
			t.Errorf("%d: %q, want %q", status, got, says)
		}
	}
	l := &look{cluster: addons.Cluster{Ports: []providers.Port{{Host: 1, Container: 80}}}}
	if got := l.ingress(t.Context(), 80); !strings.Contains(got, "no answer on 127.0.0.1:1") {
		t.Errorf("without a server: %q", got)
	}
}

func TestPrometheusAnswers(t *testing.T) {
	t.Parallel()
	up := `{"data":{"activeTargets":[{"health":"up","labels":{"job":"node"}}]}}`
	down := `{"data":{"activeTargets":[{"health":"up"},{"health":"down","labels":{"job":"etcd","instance":"10.0.0.1:2381"},"lastError":"connection refused"}]}}`
	calm := `{"data":{"alerts":[{"state":"firing","labels":{"alertname":"Watchdog","severity":"none"}},{"state":"firing","labels":{"alertname":"CPUThrottlingHigh","severity":"info"}},{"state":"pending","labels":{"alertname":"X"}}]}}`
	fires := `{"data":{"alerts":[{"state":"firing","labels":{"alertname":"KubeDown","severity":"critical"}}]}}`
	for _, test := range []struct{ targets, alerts, says string }{
		{up, calm, ""},
		{`{"data":{"activeTargets":[]}}`, calm, "no targets"},
		{down, calm, "cannot scrape etcd at 10.0.0.1:2381: connection refused"},
		{`{"data":{"activeTargets":[{"health":"unknown","labels":{"job":"etcd","instance":"10.0.0.1:2381"}}]}}`, calm, "has not scraped etcd at 10.0.0.1:2381 yet"},
		{up, fires, "alert KubeDown is firing"},
		{"<html>", calm, "invalid character"},
	} {
		address, _ := serve(t, 200, map[string]string{"/api/v1/targets": test.targets, "/api/v1/alerts": test.alerts})
		if got := askPrometheus(t.Context(), address); !strings.Contains(got, test.says) || (got == "") != (test.says == "") {
			t.Errorf("%+v: %q", test, got)
		}
	}
}

// TestBehind: a port of a Service is resolved to a ready pod's port, by number or by name.
func TestBehind(t *testing.T) {
	t.Parallel()
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop"}, Spec: corev1.ServiceSpec{
		Selector: map[string]string{"app": "web"},
		Ports: []corev1.ServicePort{
			{Port: 80, TargetPort: intstr.FromString("http")}, {Port: 81, TargetPort: intstr.FromInt32(8081)}, {Port: 82},
		},
	}}
	ready := pod(corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}})
	ready.Spec.Containers = []corev1.Container{{Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}}}}
	client := fake.NewClientset(service, ready)
	for port, want := range map[int]int32{80: 8080, 81: 8081, 82: 82} {
		name, got, err := behind(t.Context(), client, "shop", addons.Endpoint{Service: "web", Port: port})
		if err != nil || name != "web-1" || got != want {
			t.Errorf("%d: %s:%d, %v; want %d", port, name, got, err, want)
		}
	}
	if _, _, err := behind(t.Context(), client, "shop", addons.Endpoint{Service: "web", Port: 99}); err == nil {
		t.Error("it has a port 99")
	}
	client = fake.NewClientset(service, pod(corev1.PodStatus{}))
	if _, _, err := behind(t.Context(), client, "shop", addons.Endpoint{Service: "web", Port: 80}); err == nil || !strings.Contains(err.Error(), "no pod") {
		t.Errorf("no ready pod: %v", err)
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "login", Namespace: "shop"}, Data: map[string][]byte{"u": []byte("admin"), "p": []byte("x")}}
	l := &look{typed: fake.NewClientset(secret)}
	user, password, err := l.credentials(t.Context(), "shop", addons.Credentials{Secret: "login", UserKey: "u", PasswordKey: "p"})
	if err != nil || user != "admin" || password != "x" {
		t.Errorf("%q %q %v", user, password, err)
	}
	if user, password, err := l.credentials(t.Context(), "shop", addons.Credentials{}); err != nil || user+password != "" {
		t.Errorf("none are named: %q %q %v", user, password, err)
	}
	if _, _, err := l.credentials(t.Context(), "shop", addons.Credentials{Secret: "nope"}); err == nil {
		t.Error("a Secret that is not there")
	}
}

// TestPart: a check of a part that values disable is skipped; one of a part that exists is not.
func TestPart(t *testing.T) {
	t.Parallel()
	check := addons.Check{Part: "grafana", HTTP: &addons.HTTPAnswer{Endpoint: addons.Endpoint{Service: "grafana", Port: 80}}}
	l := &look{typed: fake.NewClientset(), cluster: addons.Cluster{Traits: providers.Traits{RunsPods: true}}, addon: addons.Addon{Ready: []addons.Check{check}}}
	if missing, err := l.missing(t.Context()); missing != "" || err != nil {
		t.Errorf("left out: %q, %v", missing, err)
	}
	l.in.Objects = []addons.Object{{Kind: "Service", Name: "grafana"}}
	if missing, err := l.missing(t.Context()); !strings.Contains(missing, "not found") || err != nil {
		t.Errorf("there: %q, %v", missing, err)
	}
}
