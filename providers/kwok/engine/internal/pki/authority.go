package pki

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// authority signs the cluster's certificates.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

// ensureAuthority returns the authority in the directory, and creates it if there is none. The key is
// written first, so a certificate without a key is an error.
func ensureAuthority(directory string) (authority, error) {
	file, keyFile := filepath.Join(directory, "ca.crt"), filepath.Join(directory, "ca.key")
	cert, err := readCertificate(file)
	missing := errors.Is(err, fs.ErrNotExist)
	if err != nil && !missing {
		return authority{}, err
	}
	if _, err := os.Lstat(keyFile); errors.Is(err, fs.ErrNotExist) && !missing {
		return authority{}, fmt.Errorf("%s is missing, and %s cannot be used without it", keyFile, file)
	}
	key, err := ensureKey(keyFile)
	switch {
	case err != nil:
		return authority{}, err
	case !missing && !key.PublicKey.Equal(cert.PublicKey):
		return authority{}, fmt.Errorf("%s does not belong to %s", file, keyFile)
	case !missing:
		return authority{key, cert}, nil
	}
	template, err := newTemplate(pkix.Name{CommonName: "kubernetes"})
	if err != nil {
		return authority{}, err
	}
	template.IsCA = true
	template.BasicConstraintsValid = true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return authority{}, err
	}
	if cert, err = x509.ParseCertificate(der); err != nil {
		return authority{}, err
	}
	return authority{key, cert}, writePEM(file, "CERTIFICATE", der)
}

// ensure creates one leaf. If its certificate is not valid, ensure creates a new one.
func (a authority) ensure(directory string, leaf Leaf) error {
	key, err := ensureKey(filepath.Join(directory, leaf.Name+".key"))
	if err != nil {
		return err
	}
	file := filepath.Join(directory, leaf.Name+".crt")
	cert, err := readCertificate(file)
	switch {
	case err == nil && a.signed(cert, key):
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errDamaged):
		return err
	}
	template, err := leaf.template()
	if err != nil {
		return err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return err
	}
	return writePEM(file, "CERTIFICATE", der)
}

func (a authority) signed(cert *x509.Certificate, key *ecdsa.PrivateKey) bool {
	now := time.Now()
	lasts := now.After(cert.NotBefore) && now.Add(renewal).Before(cert.NotAfter)
	return lasts && key.PublicKey.Equal(cert.PublicKey) && cert.CheckSignatureFrom(a.cert) == nil
}

func (l Leaf) template() (*x509.Certificate, error) {
	template, err := newTemplate(pkix.Name{CommonName: l.User, Organization: l.Groups})
	if err != nil {
		return nil, err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	if len(l.DNSNames)+len(l.IPs) > 0 {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	template.DNSNames = l.DNSNames
	for _, ip := range l.IPs {
		template.IPAddresses = append(template.IPAddresses, net.ParseIP(ip))
	}
	return template, nil
}

func newTemplate(subject pkix.Name) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      subject,
		NotBefore:    notBefore(),
		NotAfter:     time.Now().Add(lifetime),
	}, nil
}
