// Package pki creates the keys and certificates of a cluster, and the kubeconfigs that contain them. All
// of them stay in the directory of the cluster.
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

// lifetime and notBefore are the validity of all certificates. It is so long that neither a wrong clock
// nor an engine that runs for years leaves it. The keys stay in the directory of their owner, so renewing
// them has no benefit.
const lifetime = 100 * 365 * 24 * time.Hour

func notBefore() time.Time { return time.Unix(0, 0) }

// renewal is how long before its expiry a start renews a certificate. Older engines created certificates
// that are valid for ten years.
const renewal = 365 * 24 * time.Hour

// Leaf describes one certificate.
type Leaf struct {
	Name     string   // of its files, NAME.crt and NAME.key
	User     string   // common name: who a client is
	Groups   []string // organizations: what a client may do
	DNSNames []string // makes it a server's certificate, with IPs
	IPs      []string
}

// ServiceAccountKey is the file, in the directory given to Ensure, with the key that signs service account
// tokens.
const ServiceAccountKey = "sa.key"

// Ensure creates the authority, the service account key and the leaves in the directory if they are
// missing. It keeps existing ones, so that tokens and copied kubeconfigs stay valid. It renews a leaf that
// the authority did not sign, or that expires within a year.
//
// Ensure never replaces a key or the certificate of the authority: it returns an error if one is
// unreadable, damaged, or without its counterpart.
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

// ensureKey returns the private key in the file, and creates it if there is none. Creating a P-256 key is
// about a thousand times faster than an RSA key.
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

// errDamaged is the error of a file that is readable, but does not contain what it should.
var errDamaged = errors.New("damaged")

// readPEM parses the first PEM block of a file. It returns fs.ErrNotExist if there is no file, errDamaged
// if there is no block or parse fails, and another error if the file cannot be read.
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
