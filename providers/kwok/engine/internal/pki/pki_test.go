package pki_test

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/pki"
)

func leaves() []pki.Leaf {
	return []pki.Leaf{
		{Name: "server", User: "server", IPs: []string{"127.0.0.1"}, DNSNames: []string{"localhost"}},
		{Name: "client", User: "anna", Groups: []string{"system:masters"}},
	}
}

func TestServerAndClientKnowEachOther(t *testing.T) {
	t.Parallel()
	d := ensure(t, t.TempDir())
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(read(t, d, "ca.crt"))
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{pair(t, d, "server")},
		ClientCAs:    roots, ClientAuth: tls.RequireAndVerifyClientCert,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		conn, err := tls.Dial("tcp", listener.Addr().String(), &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair(t, d, "client")}})
		if err != nil {
			t.Error(err)
			listener.Close()
			return
		}
		defer conn.Close()
		conn.Read(make([]byte, 1))
	}()
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.(*tls.Conn).Handshake(); err != nil {
		t.Fatal(err)
	}
	who := conn.(*tls.Conn).ConnectionState().PeerCertificates[0].Subject
	if who.CommonName != "anna" || !cmp.Equal(who.Organization, []string{"system:masters"}) {
		t.Errorf("client is %v", who)
	}
}

func TestKeysAreTheOwnersOnly(t *testing.T) {
	t.Parallel()
	d := ensure(t, t.TempDir())
	entries, err := os.ReadDir(d)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
		if info, err := entry.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s is %v, %v", entry.Name(), info.Mode(), err)
		}
	}
	want := []string{"ca.crt", "ca.key", "client.crt", "client.key", "sa.key", "server.crt", "server.key"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// A crash leaves any subset of the files; the rest must be made to fit them.
func TestEnsureKeepsWhatFitsAndMendsTheRest(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ remove, stays, changes []string }{
		"nothing lost":    {nil, []string{"ca.crt", "sa.key", "client.crt", "client.key"}, nil},
		"certificate":     {[]string{"client.crt"}, []string{"ca.crt", "client.key", "server.crt"}, []string{"client.crt"}},
		"key":             {[]string{"client.key"}, []string{"ca.crt", "server.crt"}, []string{"client.crt", "client.key"}},
		"authority's own": {[]string{"ca.crt"}, []string{"ca.key", "sa.key"}, []string{"ca.crt"}},
		"authority":       {[]string{"ca.key", "ca.crt"}, []string{"sa.key"}, []string{"ca.crt", "ca.key", "client.crt", "server.crt"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := ensure(t, t.TempDir())
			before := map[string]string{}
			for _, file := range append(test.stays, test.changes...) {
				before[file] = string(read(t, d, file))
			}
			for _, file := range test.remove {
				if err := os.Remove(filepath.Join(d, file)); err != nil {
					t.Fatal(err)
				}
			}
			ensure(t, d)
			for _, file := range test.stays {
				if string(read(t, d, file)) != before[file] {
					t.Errorf("%s was recreated", file)
				}
			}
			for _, file := range test.changes {
				if string(read(t, d, file)) == before[file] {
					t.Errorf("%s was not recreated", file)
				}
			}
			verify(t, d, "client", x509.ExtKeyUsageClientAuth)
			verify(t, d, "server", x509.ExtKeyUsageServerAuth)
		})
	}
}

// A key that cannot be used is not a key that does not exist: replacing it would
// lock out everybody who has a copy of the kubeconfig.
func TestEnsureReplacesNothingThatItCannotRead(t *testing.T) {
	t.Parallel()
	unreadable := func(file string) error { // as root may read every file, make it none
		return errors.Join(os.Remove(file), os.Mkdir(file, 0o700))
	}
	truncate := func(file string) error { return os.Truncate(file, 20) }
	empty := func(file string) error { return os.Truncate(file, 0) }
	tests := map[string]struct {
		file  string
		spoil func(string) error
		want  string // in the error, or "" where the file is renewed
	}{
		"authority's key unreadable":          {"ca.key", unreadable, "cannot read"},
		"authority's key truncated":           {"ca.key", truncate, "ca.key is damaged"},
		"authority's key lost":                {"ca.key", os.Remove, "ca.key is missing"},
		"authority's certificate unreadable":  {"ca.crt", unreadable, "cannot read"},
		"authority's certificate empty":       {"ca.crt", empty, "ca.crt is damaged"},
		"authority's certificate of another":  {"ca.crt", another, "does not belong to"},
		"service account key truncated":       {"sa.key", truncate, "sa.key is damaged"},
		"leaf's key empty":                    {"client.key", empty, "client.key is damaged"},
		"leaf's certificate unreadable":       {"client.crt", unreadable, "cannot read"},
		"leaf's certificate truncated":        {"client.crt", truncate, ""},
		"leaf's certificate about to end":     {"client.crt", aged(time.Now().AddDate(0, 6, 0), time.Unix(0, 0)), ""},
		"leaf's certificate not valid so far": {"client.crt", aged(time.Now().AddDate(50, 0, 0), time.Now().Add(time.Hour)), ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := ensure(t, t.TempDir())
			if err := test.spoil(filepath.Join(d, test.file)); err != nil {
				t.Fatal(err)
			}
			before := snapshot(t, d)
			err := pki.Ensure(d, leaves()...)
			if test.want == "" {
				if err != nil || snapshot(t, d)[test.file] == before[test.file] {
					t.Errorf("not renewed: %v", err)
				}
				verify(t, d, "client", x509.ExtKeyUsageClientAuth)
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), test.file) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if diff := cmp.Diff(before, snapshot(t, d)); diff != "" {
				t.Errorf("files changed (-want +got)\n%s", diff)
			}
		})
	}
}

// Clocks of laptops and boards are wrong by decades, in both directions.
func TestCertificatesSurviveAWrongClock(t *testing.T) {
	t.Parallel()
	d := ensure(t, t.TempDir())
	for _, name := range []string{"ca", "client", "server"} {
		cert := certificate(t, d, name)
		if cert.NotBefore.After(time.Date(1970, 1, 2, 0, 0, 0, 0, time.UTC)) || cert.NotAfter.Before(time.Now().AddDate(50, 0, 0)) {
			t.Errorf("%s is valid from %v to %v", name, cert.NotBefore, cert.NotAfter)
		}
	}
}

// another replaces a certificate by that of another authority.
func another(file string) error {
	other := filepath.Join(filepath.Dir(file), "other")
	if err := errors.Join(os.Mkdir(other, 0o700), pki.Ensure(other)); err != nil {
		return err
	}
	return errors.Join(os.Rename(filepath.Join(other, "ca.crt"), file), os.RemoveAll(other))
}

// aged replaces a certificate by one of those dates, which is good otherwise.
func aged(notAfter, notBefore time.Time) func(string) error {
	return func(file string) error {
		authority, err := tls.LoadX509KeyPair(filepath.Join(filepath.Dir(file), "ca.crt"), filepath.Join(filepath.Dir(file), "ca.key"))
		if err != nil {
			return err
		}
		leaf, err := tls.LoadX509KeyPair(file, strings.TrimSuffix(file, "crt")+"key")
		if err != nil {
			return err
		}
		template := *leaf.Leaf
		template.NotAfter, template.NotBefore = notAfter, notBefore
		der, err := x509.CreateCertificate(rand.Reader, &template, authority.Leaf, leaf.Leaf.PublicKey, authority.PrivateKey)
		if err != nil {
			return err
		}
		return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600)
	}
}

// snapshot returns what the files of a directory hold.
func snapshot(t *testing.T, d string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(d)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, entry := range entries {
		text, _ := os.ReadFile(filepath.Join(d, entry.Name())) // one is a directory
		files[entry.Name()] = string(text)
	}
	return files
}

func certificate(t *testing.T, d, name string) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode(read(t, d, name+".crt"))
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func TestKubeconfigHoldsEverything(t *testing.T) {
	t.Parallel()
	d := ensure(t, t.TempDir())
	file := filepath.Join(d, "kubeconfig")
	if err := pki.WriteKubeconfig(file, "kwok-demo", "https://127.0.0.1:1", d, "client"); err != nil {
		t.Fatal(err)
	}
	text := string(read(t, d, "kubeconfig"))
	for _, want := range []string{"current-context: kwok-demo\n", "server: https://127.0.0.1:1\n", "client-key-data: "} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if err := pki.WriteKubeconfig(file, "x", "x", d, "nobody"); err == nil {
		t.Error("a kubeconfig for nobody was written")
	}
}

func ensure(t *testing.T, d string) string {
	t.Helper()
	if err := pki.Ensure(d, leaves()...); err != nil {
		t.Fatal(err)
	}
	return d
}

func read(t *testing.T, d, file string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(d, file))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func pair(t *testing.T, d, name string) tls.Certificate {
	t.Helper()
	c, err := tls.X509KeyPair(read(t, d, name+".crt"), read(t, d, name+".key"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func verify(t *testing.T, d, name string, usage x509.ExtKeyUsage) {
	t.Helper()
	block, _ := pem.Decode(read(t, d, name+".crt"))
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(read(t, d, "ca.crt"))
	if _, err := cert.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{usage}}); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	pair(t, d, name)
}
