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

// checkFiles returns ErrInvalid where something that spec would mount is not there, or
// the certificate authority is none: minikube would leave it out without a word.
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

// lendCertificate puts the certificate authority of spec where minikube looks for those
// that nodes are to trust. It does so for every cluster that it starts, so the file is
// there only until the nodes have it.
func (p *Provider) lendCertificate(spec providers.Spec) error {
	if spec.CAFile == "" {
		return nil
	}
	text, err := os.ReadFile(spec.CAFile)
	if err != nil {
		return fault.Errorf(fault.ErrInvalid, "cannot read the certificate authority: %w", err)
	}
	path := p.certificate(spec.Name, text)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

// certificate is the path of a certificate authority in minikube's home while lab lends
// it. The hash of what is in it is part of the name.
func (p *Provider) certificate(cluster string, text []byte) string {
	sum := sha256.Sum256(text)
	return filepath.Join(p.home(), "certs", "lab-"+cluster+"-"+hex.EncodeToString(sum[:])+".pem")
}

// takeCertificateBack removes what lendCertificate put there, also in a lab that was
// killed: files of the cluster's name whose hash is that of their name.
func (p *Provider) takeCertificateBack(cluster string) {
	entries, _ := os.ReadDir(filepath.Join(p.home(), "certs")) // not there where none was ever lent
	for _, e := range entries {
		path := filepath.Join(p.home(), "certs", e.Name())
		if text, err := os.ReadFile(path); err == nil && path == p.certificate(cluster, text) {
			_ = os.Remove(path)
		}
	}
}
