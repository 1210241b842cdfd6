package pki

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"path/filepath"
	"time"
)

// authority signs the cluster's certificates.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func ensureAuthority(directory string) (authority, error) {
	key, err := ensureKey(filepath.Join(directory, "ca.key"))
	if err != nil {
		return authority{}, err
	}
	file := filepath.Join(directory, "ca.crt")
	if cert, err := readCertificate(file); err == nil && key.PublicKey.Equal(cert.PublicKey) {
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
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return authority{}, err
	}
	return authority{key, cert}, writePEM(file, "CERTIFICATE", der)
}

// ensure makes one leaf, unless it is there and good.
func (a authority) ensure(directory string, leaf Leaf) error {
	key, err := ensureKey(filepath.Join(directory, leaf.Name+".key"))
	if err != nil {
		return err
	}
	file := filepath.Join(directory, leaf.Name+".crt")
	if cert, err := readCertificate(file); err == nil && a.signed(cert, key) {
		return nil
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
	lasts := time.Now().AddDate(0, 1, 0).Before(cert.NotAfter)
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
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      subject,
		NotBefore:    now.Add(-time.Hour), // clocks of laptops jump when they wake
		NotAfter:     now.Add(validity),
	}, nil
}
