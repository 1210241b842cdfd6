package fault_test

import (
	"testing"

	"github.com/clusterlab-dev/lab/providers/fault"
)

func TestNearest(t *testing.T) {
	known := []string{"hello", "helm", "kubectl", "k9s"}
	for name, want := range map[string]string{
		"helo": "hello", "Kubctl": "kubectl", "k8s": "k9s", "kub": "kubectl", "hlem": "helm", "traefik": "", "": "",
	} {
		if got := fault.Nearest(name, known); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
