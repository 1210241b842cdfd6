package minikube

import (
	"encoding/pem"
	"os"
	"path/filepath"

	"github.com/clusterlab-dev/lab/providers"
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
		return providers.Errorf(providers.ErrInvalid, "certificate authority: %w", err)
	}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			return nil
		}
	}
	err = providers.Errorf(providers.ErrInvalid, "certificate authority: %s has no certificate in the form of PEM", spec.CAFile)
	return providers.WithHint(err, "openssl x509 -inform der -in %s turns another form into it", spec.CAFile)
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
		return providers.Errorf(providers.ErrInvalid, "certificate authority: %w", err)
	}
	path := p.certificate(spec.Name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

// takeCertificateBack removes what lendCertificate put there, if it did.
func (p *Provider) takeCertificateBack(name string) { _ = os.Remove(p.certificate(name)) }
