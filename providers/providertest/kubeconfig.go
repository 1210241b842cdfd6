package providertest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"sigs.k8s.io/yaml"
)

// kubeconfig has the fields of a kubeconfig that the rules check.
type kubeconfig struct {
	CurrentContext string `json:"current-context"`
	Contexts       []struct {
		Name    string
		Context struct{ Cluster, User string }
	}
	Clusters []struct {
		Name    string
		Cluster struct {
			Server   string
			CA       []byte `json:"certificate-authority-data"`
			CAFile   string `json:"certificate-authority"`
			Insecure bool   `json:"insecure-skip-tls-verify"`
		}
	}
	Users []struct {
		Name string
		User struct {
			Cert         []byte `json:"client-certificate-data"`
			Key          []byte `json:"client-key-data"`
			Token        string
			CertFile     string         `json:"client-certificate"`
			KeyFile      string         `json:"client-key"`
			TokenFile    string         `json:"tokenFile"`
			Exec         map[string]any `json:"exec"`
			AuthProvider map[string]any `json:"auth-provider"`
		}
	}
}

// parseKubeconfig reads a kubeconfig; data that is not base64 is an error.
func parseKubeconfig(data []byte) (*kubeconfig, error) {
	k := &kubeconfig{}
	if err := yaml.Unmarshal(data, k); err != nil {
		return nil, err
	}
	if len(k.Clusters) != 1 || len(k.Users) != 1 || len(k.Contexts) != 1 {
		return nil, fmt.Errorf("it has %d clusters, %d users and %d contexts, want one of each",
			len(k.Clusters), len(k.Users), len(k.Contexts))
	}
	return k, nil
}

// authority returns the certificate authority, which differs between clusters.
func (k *kubeconfig) authority() []byte { return k.Clusters[0].Cluster.CA }

// checkContext checks that the current context is that of the cluster.
func (k *kubeconfig) checkContext(t *testing.T) {
	c := k.Contexts[0]
	if c.Name == "" || c.Name != k.CurrentContext {
		t.Errorf("the current context is %q, the only context is %q", k.CurrentContext, c.Name)
	}
	if c.Context.Cluster != k.Clusters[0].Name || c.Context.User != k.Users[0].Name {
		t.Errorf("context %+v means neither cluster %q nor user %q", c, k.Clusters[0].Name, k.Users[0].Name)
	}
}

// checkSelfContained checks that the kubeconfig refers to no files or commands of this machine.
func (k *kubeconfig) checkSelfContained(t *testing.T) {
	u := k.Users[0].User
	for _, path := range []string{k.Clusters[0].Cluster.CAFile, u.CertFile, u.KeyFile, u.TokenFile} {
		if path != "" {
			t.Errorf("it refers to the file %s", path)
		}
	}
	if u.Exec != nil || u.AuthProvider != nil {
		t.Error("it runs a command to authenticate")
	}
}

// checkTrust checks that credentials are sent to the cluster's server only.
func (k *kubeconfig) checkTrust(t *testing.T) {
	c := k.Clusters[0].Cluster
	if c.Insecure {
		t.Error("it skips the verification of the server")
	}
	if block, _ := pem.Decode(c.CA); block == nil {
		t.Error("its certificate authority is not PEM")
	} else if _, err := x509.ParseCertificate(block.Bytes); err != nil {
		t.Errorf("its certificate authority cannot be read: %v", err)
	}
}

// AskVersion returns nil if the API server of a kubeconfig answers GET /version. It
// is a [Harness].Probe for providers whose API servers are real.
func AskVersion(ctx context.Context, data []byte) error {
	k, err := parseKubeconfig(data)
	if err != nil {
		return err
	}
	config := &tls.Config{RootCAs: x509.NewCertPool()}
	config.RootCAs.AppendCertsFromPEM(k.authority())
	user := k.Users[0].User
	if len(user.Cert) > 0 {
		cert, err := tls.X509KeyPair(user.Cert, user.Key)
		if err != nil {
			return err
		}
		config.Certificates = []tls.Certificate{cert}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, k.Clusters[0].Cluster.Server+"/version", nil)
	if err != nil {
		return err
	}
	if user.Token != "" {
		req.Header.Set("Authorization", "Bearer "+user.Token)
	}
	transport := &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		err = errors.New("GET /version: " + resp.Status)
	}
	return errors.Join(err, resp.Body.Close())
}
