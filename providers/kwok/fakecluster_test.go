//go:build linux || darwin

package kwok

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// open starts an API server, and returns its port. A cluster keeps its CA, its kubeconfig and its port,
// as a real one does.
func (a *actor) open() int {
	before := must(readStatus(a.dir))
	if _, err := os.Stat("pki"); errors.Is(err, fs.ErrNotExist) {
		must(0, os.Mkdir("pki", 0o700))
		ca := newCertificate("ca", nil)
		writeWhole("pki/ca", ca.pem())
		newCertificate("server", ca).save("pki/server")
		newCertificate("client", ca).save("pki/client")
	}
	listener := must(net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", before.APIPort)))
	a.writeKubeconfig(listener.Addr().String())
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(must(os.ReadFile("pki/ca")))
	server := &http.Server{
		Handler:  http.HandlerFunc(a.answer),
		ErrorLog: log.New(os.Stderr, "", 0),
		TLSConfig: &tls.Config{
			Certificates: []tls.Certificate{must(tls.LoadX509KeyPair("pki/server", "pki/server.key"))},
			ClientAuth:   tls.RequireAndVerifyClientCert,
			ClientCAs:    roots,
		},
	}
	go func() { _ = server.ServeTLS(listener, "", "") }()
	return listener.Addr().(*net.TCPAddr).Port
}

func (a *actor) answer(w http.ResponseWriter, r *http.Request) {
	switch {
	case a.does("sick"):
		http.Error(w, "[-]etcd failed", http.StatusInternalServerError)
	case a.does("stuck"):
		<-r.Context().Done()
	case r.URL.Path == "/readyz", r.URL.Path == "/version":
		fmt.Fprint(w, "ok")
	default:
		http.NotFound(w, r)
	}
}

func (a *actor) writeKubeconfig(server string) {
	name := "kwok-" + filepath.Base(a.dir)
	encode := func(file string) string {
		return base64.StdEncoding.EncodeToString(must(os.ReadFile("pki/" + file)))
	}
	writeWhole("kubeconfig", fmt.Appendf(nil, `apiVersion: v1
kind: Config
current-context: %[1]s
clusters:
- name: %[1]s
  cluster:
    server: https://%[2]s
    certificate-authority-data: %[3]s
users:
- name: %[1]s
  user:
    client-certificate-data: %[4]s
    client-key-data: %[5]s
contexts:
- name: %[1]s
  context:
    cluster: %[1]s
    user: %[1]s
`, name, server, encode("ca"), encode("client"), encode("client.key")))
}

type certificate struct {
	template *x509.Certificate
	der      []byte
	key      *ecdsa.PrivateKey
}

// newCertificate returns a certificate that issuer signed, or a certificate authority if issuer is nil.
func newCertificate(name string, issuer *certificate) *certificate {
	c := &certificate{key: must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))}
	c.template = &x509.Certificate{
		SerialNumber:          big.NewInt(time.Now().UnixNano()),
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             time.Now().Add(-time.Minute),
		NotAfter:              time.Now().Add(time.Hour),
		BasicConstraintsValid: true,
		IsCA:                  issuer == nil,
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if issuer == nil {
		issuer = c
	}
	c.der = must(x509.CreateCertificate(rand.Reader, c.template, issuer.template, c.key.Public(), issuer.key))
	return c
}

func (c *certificate) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.der})
}

func (c *certificate) save(path string) {
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(c.key))})
	writeWhole(path, c.pem())
	writeWhole(path+".key", key)
}
