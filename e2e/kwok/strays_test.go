//go:build e2e && unix

package kwok

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/addons/addontest"
)

// TestOnlyEvents installs charts for which Helm logs warnings. stderr must contain only events with json, also after
// a failure, and nothing with quiet.
func TestOnlyEvents(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	s := newShelf(t, p)
	gone := strings.Replace(addontest.Hanging("ttl"), "      nodeSelector: {nowhere: \"true\"}\n", "", 1)
	gone = strings.Replace(gone, "spec:\n", "spec:\n  ttlSecondsAfterFinished: 0\n", 1)
	s.put("noisy", "1.0.0", true, map[string]string{
		"requirements.yaml": "dependencies: []\n", "values.yaml": "a: {b: 1}\n",
		"templates/a.yaml":   addontest.ConfigMap("settings", "x"),
		"templates/job.yaml": strings.Replace(addontest.Hanging("migrate"), "pre-install,pre-upgrade", "no-such-hook", 1),
		"templates/ttl.yaml": gone, // is deleted as soon as it is complete
		"templates/old.yaml": "apiVersion: v1\nkind: Endpoints\nmetadata: {name: deprecated}\n",
	}, "values: {a: 1}")
	s.put("gone", "1.0.0", true, map[string]string{"templates/a.yaml": "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: web}\n"}, "values: {a: 1}")
	name := p.up()
	install := func(addon, progress string) string {
		return p.Try("addon", "install", addon, "--name", name, "--progress", progress).Stderr
	}
	for _, addon := range []string{"noisy", "gone"} {
		events := strings.Split(strings.TrimSpace(install(addon, "json")), "\n")
		for _, line := range events {
			if !json.Valid([]byte(line)) {
				t.Errorf("%s: not JSON: %s", addon, line)
			}
		}
		if last := events[len(events)-1]; addon == "gone" && !strings.Contains(last, `"kind":"Error"`) {
			t.Errorf("the last line is %s", last)
		}
	}
	p.Must("addon", "remove", "noisy", "--name", name)
	if got := install("noisy", "quiet"); got != "" {
		t.Errorf("quiet prints %q", got)
	}
	if got := install("gone", "quiet"); !strings.HasPrefix(got, "error: ") || !strings.Contains(got, "policy/v1beta1 is not served by Kubernetes v") {
		t.Errorf("quiet prints %q", got)
	}
	p.Must("down", name)
	s.clear()
}
