//go:build !windows

package minikube

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/providers/fault"
)

func TestCheckProxy(t *testing.T) {
	for config, want := range map[string]bool{
		`{}`:           true,
		`not JSON`:     true,
		`{"auths":{}}`: true,
		`{"proxies":{"default":{"httpProxy":"http://me:secret@127.0.0.1:9"}}}`:                             false,
		`{"proxies":{"default":{"httpsProxy":"http://127.0.0.1:9","noProxy":"localhost,.corp"}}}`:          false,
		`{"proxies":{"default":{"httpsProxy":"http://127.0.0.1:9","noProxy":"localhost, 10.96.0.0/12"}}}`:  true,
		`{"proxies":{"default":{"noProxy":"localhost"},"tcp://other":{"httpProxy":"http://127.0.0.1:9"}}}`: true,
	} {
		dir := t.TempDir()
		t.Setenv("DOCKER_CONFIG", dir)
		write(t, filepath.Join(dir, "config.json"), config)
		err := checkProxy()
		if (err == nil) != want {
			t.Errorf("%s: %v", config, err)
		}
		if err == nil {
			continue
		}
		if text := err.Error() + fault.HintOf(err); !errors.Is(err, fault.ErrUnavailable) || strings.Contains(text, "secret") ||
			!strings.Contains(text, filepath.Join(dir, "config.json")) || !strings.Contains(text, "proxies.default") || !strings.Contains(text, "noProxy") {
			t.Errorf("%s: %s", config, text)
		}
	}
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	if err := checkProxy(); err != nil {
		t.Errorf("without a configuration: %v", err)
	}
}
