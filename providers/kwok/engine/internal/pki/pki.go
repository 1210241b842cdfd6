// Package pki makes the keys and certificates of one cluster, and the kubeconfigs
// that hold them. All of it stays in the cluster's own directory.
package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/dir"
)

// lifetime and notBefore bound the validity of every certificate: no clock that is
// set back or forward, and no engine that runs for years, leaves these bounds. The
// keys never leave the owner's directory, so nothing is gained by renewing them.
const lifetime = 100 * 365 * 24 * time.Hour

func notBefore() time.Time { return time.Unix(0, 0) }

// renewal is how long before its end a certificate is renewed, at a start. It
// concerns certificates of clusters that older engines created, for ten years.
const renewal = 365 * 24 * time.Hour

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

// Ensure creates what is missing of an authority, a service account key and the
// leaves in the directory, and keeps what exists: tokens and kubeconfigs that people
// copied stay valid. A leaf that the authority did not sign, or that ends within a
// year, is renewed.
//
// It replaces no key, and no certificate of the authority: it returns an error where
// one cannot be read, is damaged, or has lost its counterpart.
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

// ensureKey returns the private key in the file, created if there is none. P-256
// takes a thousandth of the time that RSA takes to make.
func ensureKey(file string) (*ecdsa.PrivateKey, error) {
	key, err := readKey(file)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
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
	return readPEM(file, x509.ParseECPrivateKey)
}

func readCertificate(file string) (*x509.Certificate, error) {
	return readPEM(file, x509.ParseCertificate)
}

// errDamaged is a file that can be read and does not hold what it should.
var errDamaged = errors.New("damaged")

// readPEM returns fs.ErrNotExist where there is no file, errDamaged where parse
// cannot make anything of it, or another error where it cannot be read.
func readPEM[T any](file string, parse func(der []byte) (T, error)) (T, error) {
	var none T
	raw, err := os.ReadFile(file)
	if failure, ok := errors.AsType[*fs.PathError](err); ok {
		return none, fmt.Errorf("cannot read %s: %w", file, failure.Err)
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return none, fmt.Errorf("%s is %w: it has no PEM block", file, errDamaged)
	}
	parsed, err := parse(block.Bytes)
	if err != nil {
		return none, fmt.Errorf("%s is %w: %w", file, errDamaged, err)
	}
	return parsed, nil
}

func writePEM(file, kind string, der []byte) error {
	return dir.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}
