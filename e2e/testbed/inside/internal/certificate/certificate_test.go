package certificate_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/clusterlab-dev/lab/e2e/testbed/inside/internal/certificate"
)

// TestSelfSigned checks that clients that trust the certificate accept a server with its names, and no others.
func TestSelfSigned(t *testing.T) {
	t.Parallel()
	cert, key, err := certificate.SelfSigned("hook", "hook.shop.svc")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	server.StartTLS()
	defer server.Close()
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(cert)
	for name, want := range map[string]bool{"hook": true, "hook.shop.svc": true, "other.shop.svc": false} {
		conn, err := tls.Dial("tcp", server.Listener.Addr().String(), &tls.Config{RootCAs: trusted, ServerName: name})
		if (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			conn.Close()
		}
	}
}
