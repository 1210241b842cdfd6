//go:build !windows

package minikube

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker/dockertest"
)

// markedProfile returns a configuration with a mark.
func markedProfile(mark string) profile {
	c := inDocker()
	c.KubernetesConfig.APIServerNames = []string{mark + markDomain}
	return c
}

// serverCertificateFor returns a certificate with these names, as PEM.
func serverCertificateFor(t *testing.T, names ...string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: names}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// TestLostProfile checks that nodes without a profile are recognized by their mark and removed,
// and stay if their owner is unknown.
func TestLostProfile(t *testing.T) {
	for name, test := range map[string]struct {
		certificate dockertest.Answer
		kind        error
	}{
		"of lab":     {answer{Stdout: dockertest.File(serverCertificateFor(t, "minikube", "a-mark"+markDomain))}, nil},
		"of another": {answer{Stdout: dockertest.File(serverCertificateFor(t, "minikube"))}, fault.ErrForeign},
		"unknown":    {answer{Stderr: "Error: Could not find the file", Code: 1}, fault.ErrUnavailable},
	} {
		p, _ := scripted(t)
		test.certificate.Args = "cp --follow-link id-of-lab:" + serverCertificate
		before := dockertest.Having(t, node("lab", "exited", 0))
		for i := range before {
			before[i].Once = true
		}
		answers := slices.Concat(before, before, before, []answer{test.certificate, {Args: "rm"}})
		if test.kind != nil {
			answers = append(dockertest.Having(t, node("lab", "exited", 0)), test.certificate)
		}
		d := dockertest.Script(t, ready(answers...)...)
		err := p.Delete(t.Context(), providers.Ref{Name: "lab", ID: "its certificate's", Mark: "a-mark"})
		if !errors.Is(err, test.kind) {
			t.Errorf("%s: %v, want %v", name, err, test.kind)
		}
		if removed := slices.Contains(d.Calls(t), "rm --force --volumes id-of-lab"); removed != (test.kind == nil) {
			t.Errorf("%s: removed: %t; calls: %q", name, removed, d.Calls(t))
		}
	}
}

// TestDeleteSparesAnotherHome checks that a container stays if it belongs to a minikube with
// another home, whose keys differ.
func TestDeleteSparesAnotherHome(t *testing.T) {
	for name, test := range map[string]struct {
		lets    dockertest.Answer
		removes bool
	}{
		"another home": {answer{Stdout: dockertest.File("ssh-rsa THEIRS x@y\n")}, false},
		"this home":    {answer{Stdout: dockertest.File("ssh-rsa OURS x@y\n")}, true},
		"no key yet":   {answer{Stderr: "Error: Could not find the file", Code: 1}, true},
	} {
		p, _ := scripted(t)
		keep(t, p, "lab", markedProfile("a-mark"))
		write(t, filepath.Join(p.home.machinesDir(), "lab", "id_rsa.pub"), "ssh-rsa OURS x@y\n")
		test.lets.Args = "cp --follow-link id-of-lab:" + authorizedKeys
		there := dockertest.Having(t, node("lab", "exited", 0))
		if test.removes {
			there = slices.Concat(there, there)
			for i := range there {
				there[i].Once = true
			}
		}
		d := dockertest.Script(t, ready(append(there, test.lets, answer{Args: "rm"})...)...)
		if err := p.Delete(t.Context(), providers.Ref{Name: "lab", Mark: "a-mark"}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if removed := slices.Contains(d.Calls(t), "rm --force --volumes id-of-lab"); removed != test.removes {
			t.Errorf("%s: removed: %t; calls: %q", name, removed, d.Calls(t))
		}
		if strings.Contains(strings.Join(d.Calls(t), "\n"), "network rm") || p.home.hasProfile("lab") {
			t.Errorf("%s: the profile is there: %t; calls: %q", name, p.home.hasProfile("lab"), d.Calls(t))
		}
	}
}

// TestDeleteLooksAtTheProfile checks that the owner is checked directly before minikube removes
// a machine, which it identifies by name.
func TestDeleteLooksAtTheProfile(t *testing.T) {
	machine := markedProfile("a-mark")
	machine.Driver, machine.Nodes[0].IP, machine.Nodes[0].Port = "kvm2", "127.0.0.1", 1
	for mark, kind := range map[string]error{"a-mark": nil, "another": fault.ErrForeign} {
		p, tool := scripted(t, answer{Args: "status", Stdout: `{"Host":"Stopped"}`}, answer{Args: "delete"})
		dockertest.None(t)
		keep(t, p, "lab", machine)
		err := p.remove(t.Context(), program{path: tool.Path()}, providers.Ref{Name: "lab", Mark: mark}, "kvm2")
		if !errors.Is(err, kind) || p.home.hasProfile("lab") != (kind != nil) {
			t.Errorf("%s: %v, the profile is there: %t", mark, err, p.home.hasProfile("lab"))
		}
		if deleted := slices.ContainsFunc(tool.Calls(t), func(c string) bool { return strings.HasPrefix(c, "delete") }); deleted != (kind == nil) {
			t.Errorf("%s: minikube was called: %q", mark, tool.Calls(t))
		}
	}
}

// TestProfileLeft checks that a profile without containers and certificate is removed by its
// mark, and that another program's profile stays.
func TestProfileLeft(t *testing.T) {
	for mark, kind := range map[string]error{"a-mark": nil, "another": fault.ErrForeign} {
		p, _ := scripted(t)
		keep(t, p, "lab", markedProfile("a-mark"))
		if err := os.Remove(filepath.Join(p.home.profileDir("lab"), "client.crt")); err != nil {
			t.Fatal(err)
		}
		dockertest.Script(t, ready()...)
		err := p.Delete(t.Context(), providers.Ref{Name: "lab", ID: "its certificate's", Mark: mark})
		if !errors.Is(err, kind) || p.home.hasProfile("lab") != (kind != nil) {
			t.Errorf("%s: %v, the profile is there: %t", mark, err, p.home.hasProfile("lab"))
		}
	}
}
