package kwok

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// readyWithin is the timeout of a readiness request. On a busy machine, an answer can take more than a
// second.
const readyWithin = 2 * time.Second

// Kubeconfig returns the kubeconfig that the engine wrote. It returns ErrUnavailable if there is none yet.
func (p *Provider) Kubeconfig(_ context.Context, ref providers.Ref) ([]byte, error) {
	dir, err := p.find(ref)
	if err != nil {
		return nil, err
	}
	config, err := os.ReadFile(filepath.Join(dir, "kubeconfig"))
	if errors.Is(err, fs.ErrNotExist) {
		err = fault.Errorf(fault.ErrUnavailable, "the cluster is not complete: it has no kubeconfig yet")
		return nil, fault.WithHint(err, "start it: lab start %s", ref.Name)
	}
	return config, err
}

// Entries returns the names that the engine uses. kwokctl uses the same.
func (*Provider) Entries(name string) providers.Entries {
	known := "kwok-" + name
	return providers.Entries{Cluster: known, User: known, Context: known}
}

// access contains the credentials of a kubeconfig.
type access struct {
	ca     []byte // PEM
	client tls.Certificate
}

// readAccess reads the kubeconfig of the cluster in dir. It expects one key per line, as the engine
// writes it. On an error it also returns what it has read.
func readAccess(dir string) (a access, err error) {
	config, err := os.ReadFile(filepath.Join(dir, "kubeconfig"))
	if err != nil {
		return a, err
	}
	var cert, key []byte
	for _, field := range []struct {
		name string
		to   *[]byte
	}{{"certificate-authority-data", &a.ca}, {"client-certificate-data", &cert}, {"client-key-data", &key}} {
		if *field.to, err = base64.StdEncoding.DecodeString(value(config, field.name)); err != nil || len(*field.to) == 0 {
			return a, fmt.Errorf("its kubeconfig has no valid %s", field.name)
		}
	}
	if a.client, err = tls.X509KeyPair(cert, key); err != nil {
		return a, fmt.Errorf("its kubeconfig has no valid client certificate: %w", err)
	}
	return a, nil
}

// value returns the value of the first line with key, or "".
func value(config []byte, key string) string {
	for line := range strings.Lines(string(config)) {
		if after, ok := strings.CutPrefix(strings.TrimLeft(line, " -"), key+":"); ok {
			return strings.Trim(after, " \"'\r\n")
		}
	}
	return ""
}

// idOf returns the ID of the cluster in dir: the SHA-256 of its CA certificate, which is different for
// each cluster. It reads the certificate from the kubeconfig, or else from pki. The ID is "" before the
// first start.
func idOf(dir string) string {
	access, _ := readAccess(dir) // the certificate may be valid even if the rest is not
	block, _ := pem.Decode(access.ca)
	if block == nil {
		text, _ := os.ReadFile(filepath.Join(dir, "pki", "ca.crt"))
		block, _ = pem.Decode(text)
	}
	if block == nil {
		return ""
	}
	sum := sha256.Sum256(block.Bytes)
	return hex.EncodeToString(sum[:])
}

// ready returns nil if the API server at port is ready.
func (a access) ready(ctx context.Context, port int) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+address+"/readyz", nil)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(a.ca)
	// A new transport, so that no proxy of the environment is used and no connection stays open.
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{a.client}},
	}}
	response, err := client.Do(request)
	if err != nil {
		return errors.Unwrap(err) // without the URL
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<16))
		return errors.New(response.Status)
	}
	return nil
}
