// Package pki makes the keys and certificates of one cluster, and the kubeconfigs
// that hold them. All of it stays in the cluster's own directory.
package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/dir"
)

// validity is longer than anybody keeps a lab: nothing here renews itself.
const validity = 10 * 365 * 24 * time.Hour

// Leaf asks for one certificate.
type Leaf struct {
	Name     string   // of its files, NAME.crt and NAME.key
	User     string   // common name: who a client is
	Groups   []string // organizations: what a client may do
	DNSNames []string // makes it a server's certificate, with IPs
	IPs      []string
}

// ServiceAccountKey is the file, below the directory given to Ensure, that holds
// the key which service account tokens are signed with.
const ServiceAccountKey = "sa.key"

// Ensure makes what is missing of an authority, a service account key and the
// leaves in the directory, and leaves alone what is there and fits: tokens and
// kubeconfigs that people copied stay valid. A leaf that the authority did not
// sign, or that runs out within a month, is made anew.
func Ensure(directory string, leaves ...Leaf) error {
	ca, err := ensureAuthority(directory)
	if err != nil {
		return fmt.Errorf("certificate authority: %w", err)
	}
	if _, err := ensureKey(filepath.Join(directory, ServiceAccountKey)); err != nil {
		return fmt.Errorf("service account key: %w", err)
	}
	for _, leaf := range leaves {
		if err := ca.ensure(directory, leaf); err != nil {
			return fmt.Errorf("certificate of %s: %w", leaf.Name, err)
		}
	}
	return nil
}

// ensureKey returns the private key in the file, made if there is none. P-256
// takes a thousandth of the time that RSA takes to make.
func ensureKey(file string) (*ecdsa.PrivateKey, error) {
	if key, err := readKey(file); err == nil {
		return key, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, writePEM(file, "EC PRIVATE KEY", der)
}

func readKey(file string) (*ecdsa.PrivateKey, error) {
	der, err := readPEM(file)
	if err != nil {
		return nil, err
	}
	return x509.ParseECPrivateKey(der)
}

func readCertificate(file string) (*x509.Certificate, error) {
	der, err := readPEM(file)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

func readPEM(file string) ([]byte, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, fmt.Errorf("%s holds no PEM block", file)
	}
	return block.Bytes, nil
}

func writePEM(file, kind string, der []byte) error {
	return dir.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}
