package providertest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"
)

// newCA returns a certificate authority for the cluster, as PEM. Its key is dropped, because it
// signs nothing.
func newCA(cluster string) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(now.UnixNano()),
		Subject:               pkix.Name{CommonName: "fake authority of " + cluster},
		NotBefore:             now,
		NotAfter:              now.AddDate(1, 0, 0),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}

// id is the hash of the authority, which is the same for the cluster's whole life.
func (r record) id() string {
	if r.CA == nil {
		return ""
	}
	sum := sha256.Sum256(r.CA)
	return hex.EncodeToString(sum[:])
}

// newKubeconfig returns a kubeconfig for a server that does not exist: no program listens on
// port 1, and the token is not a secret.
func newKubeconfig(context string, ca []byte) []byte {
	return fmt.Appendf(nil, `apiVersion: v1
kind: Config
clusters:
- name: %[1]s
  cluster:
    server: https://127.0.0.1:1
    certificate-authority-data: %[2]s
users:
- name: %[1]s
  user:
    token: not-a-secret
contexts:
- name: %[1]s
  context:
    cluster: %[1]s
    user: %[1]s
current-context: %[1]s
`, context, base64.StdEncoding.EncodeToString(ca))
}
