package kind

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// answerWithin bounds a question to an API server on this machine.
const answerWithin = 3 * time.Second

// askVersion returns the version of Kubernetes that a cluster's API server says it is.
// The version is "" where it does not tell strangers, and answers all the same.
//
// Nothing is sent that is worth having, and nothing depends on the answer but what a
// list shows: so the server need not prove who it is, and no key need be fetched.
func askVersion(ctx context.Context, nodes []docker.Container) (string, error) {
	at, err := address(nodes)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+at+"/version", nil)
	if err != nil {
		return "", err
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized:
		return "", nil
	default: // forbidden, for one, until it has made its first roles
		return "", fmt.Errorf("GET /version: %s", resp.Status)
	}
	var version struct{ GitVersion string }
	err = json.NewDecoder(resp.Body).Decode(&version)
	return version.GitVersion, err
}
