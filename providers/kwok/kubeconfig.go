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

// readyWithin is how long an API server may take to say that it is ready. One on
// a machine that is busy needs a good part of it.
const readyWithin = 2 * time.Second

// Kubeconfig returns the kubeconfig that the engine wrote.
func (p *Provider) Kubeconfig(_ context.Context, ref providers.Ref) ([]byte, error) {
	dir, err := p.find(ref)
	if err != nil {
		return nil, err
	}
	config, err := os.ReadFile(filepath.Join(dir, "kubeconfig"))
	if errors.Is(err, fs.ErrNotExist) {
		err = fault.Errorf(fault.ErrUnavailable, "the cluster is not complete: it has no kubeconfig yet")
		return nil, fault.WithHint(err, "lab start %s", ref.Name)
	}
	return config, err
}

// Entries returns the names that the engine uses, which are those of kwokctl.
func (*Provider) Entries(name string) providers.Entries {
	known := "kwok-" + name
	return providers.Entries{Cluster: known, User: known, Context: known}
}

// access is what a kubeconfig says of how to reach a cluster.
type access struct {
	ca     []byte // PEM
	client tls.Certificate
}

// readAccess reads the kubeconfig of the cluster in dir. It knows YAML only as
// far as engines write it: one key a line. On error it returns what it understood.
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

func value(config []byte, key string) string {
	for line := range strings.Lines(string(config)) {
		if after, ok := strings.CutPrefix(strings.TrimLeft(line, " -"), key+":"); ok {
			return strings.Trim(after, " \"'\r\n")
		}
	}
	return ""
}

// idOf returns the identity of the cluster in dir: the SHA-256 of its CA's certificate,
// since every cluster makes a CA of its own. The kubeconfig has it, and the engine keeps
// it. It is "" before the first start.
func idOf(dir string) string {
	access, _ := readAccess(dir) // what could be read is enough
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

// ready returns nil if the API server at port says that it is.
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
	// A transport of its own: no proxy of the environment, no connection kept.
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{a.client}},
	}}
	response, err := client.Do(request)
	if err != nil {
		return errors.Unwrap(err) // without the URL, which nobody asked for
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<16))
		return errors.New(response.Status)
	}
	return nil
}
