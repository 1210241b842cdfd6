package minikube

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"os"
	"path/filepath"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// checkFiles returns ErrInvalid if a mounted path does not exist, or if the certificate
// authority contains no certificate: minikube would ignore such a file silently.
func checkFiles(spec providers.Spec) error {
	if err := nodes.CheckFiles(spec); err != nil || spec.CAFile == "" {
		return err
	}
	text, err := os.ReadFile(spec.CAFile)
	if err != nil {
		return fault.Errorf(fault.ErrInvalid, "cannot read the certificate authority: %w", err)
	}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			return nil
		}
	}
	err = fault.Errorf(fault.ErrInvalid, "certificate authority: %s contains no PEM certificate", spec.CAFile)
	return fault.WithHint(err, "convert a DER certificate: openssl x509 -inform der -in %s", spec.CAFile)
}

// lendCertificate copies the certificate authority of spec to where minikube looks for those
// that nodes should trust. minikube does so for every cluster that it starts, so the copy
// exists only until the nodes have it.
func (h home) lendCertificate(spec providers.Spec) error {
	if spec.CAFile == "" {
		return nil
	}
	text, err := os.ReadFile(spec.CAFile)
	if err != nil {
		return fault.Errorf(fault.ErrInvalid, "cannot read the certificate authority: %w", err)
	}
	path := h.certificate(spec.Name, text)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

// certificate returns the path of the copy of a certificate authority in minikube's home. Its
// name contains the hash of its contents.
func (h home) certificate(cluster string, text []byte) string {
	sum := sha256.Sum256(text)
	return filepath.Join(string(h), "certs", "lab-"+cluster+"-"+hex.EncodeToString(sum[:])+".pem")
}

// takeCertificateBack removes the copies of lendCertificate, also those of a killed lab: files
// with the name of the cluster and the hash of their contents.
func (h home) takeCertificateBack(cluster string) {
	entries, _ := os.ReadDir(filepath.Join(string(h), "certs")) // none if it does not exist
	for _, e := range entries {
		path := filepath.Join(string(h), "certs", e.Name())
		if text, err := os.ReadFile(path); err == nil && path == h.certificate(cluster, text) {
			_ = os.Remove(path)
		}
	}
}
