//go:build e2e

package e2e

import (
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/kind"
	"github.com/clusterlab-dev/lab/providers/providertest"
)

// TestContract holds the adapters to the contract of package providers, with the real tools.
func TestContract(t *testing.T) {
	t.Run("kind", func(t *testing.T) {
		bed := testbed(t) // compiles, so before the suite gives the test another home
		options := kind.Options{NodeImage: bed.kindNode(), Dir: filepath.Join(t.TempDir(), "kind"), LogsDir: t.TempDir()}
		archive := bed.save(t, bed.helloNew)
		requireNoAnonymousVolume(t)
		providertest.Run(t, func(t *testing.T) providertest.Harness {
			return kindHarness(t, bed, options, archive)
		})
	})
}

func kindHarness(t *testing.T, bed *bed, options kind.Options, archive string) providertest.Harness {
	port := freePort(t)
	return providertest.Harness{
		New:     func() providers.Provider { return kind.New(options) },
		Leaks:   func(t *testing.T, name string) []string { return append(leaks(t, name), filesBelow(t, options.Dir)...) },
		Prefix:  "e2e-c",
		Timeout: 5 * time.Minute,
		Slow:    true,
		Archive: archive,
		Invalid: map[string]func(*providers.Spec){
			"a mount of nothing": func(s *providers.Spec) {
				s.Mounts = []providers.Mount{{Host: filepath.Join(options.Dir, "none"), Node: "/x"}}
			},
			"a native key that there is not": func(s *providers.Spec) { s.Native = native("nods: []") },
			"a native family of none":        func(s *providers.Spec) { s.Native = native("networking: {ipFamily: none}") },
			"two images":                     func(s *providers.Spec) { s.Native, s.NodeImage = native("nodes: [{image: a}]"), "b" },
		},
		Unsupported: map[string]func(*providers.Spec){
			"a driver":     func(s *providers.Spec) { s.Driver = "virtualbox" },
			"5000 workers": func(s *providers.Spec) { s.Workers = 5000 },
		},
		Failures: map[string]func(*testing.T, *providers.Spec){
			"a port that is taken": func(t *testing.T, s *providers.Spec) {
				listen(t, port)
				s.Ports = []providers.Port{{Host: port, Container: 80}}
			},
			"an image that is no node, twice": func(_ *testing.T, s *providers.Spec) { s.NodeImage, s.Workers = bed.helloNew, 1 },
			"a kubeadm that fails": func(_ *testing.T, s *providers.Spec) {
				s.Native = native(`kubeadmConfigPatches: ["{kind: ClusterConfiguration, networking: {podSubnet: nonsense}}"]`)
			},
		},
		Unavailable: kind.New(kind.Options{NodeImage: "127.0.0.1:1/none:v1.37.2", Dir: options.Dir}),
		Context:     func(name string) string { return "kind-" + name },
		Probe:       providertest.AskVersion,
		Break:       func(t *testing.T, name string) { docker(t, "kill", name+"-control-plane") },
		HalfMade: func(t *testing.T, name string) {
			docker(t, "run", "--detach", "--name", name+"-control-plane", "--label", "io.x-k8s.kind.cluster="+name,
				"--label", "io.x-k8s.kind.role=control-plane", "--volume", "/var", "--entrypoint", "sleep", options.NodeImage, "3600")
		},
		Foreign: func(t *testing.T, name string) {
			out, err := bed.command(t.Context(), nil, "kind", "create", "cluster", "--name", name, "--image", options.NodeImage,
				"--kubeconfig", filepath.Join(t.TempDir(), "kubeconfig")).CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		},
		Goroutines: []string{"os/exec.(*Cmd)"},
	}
}

func native(text string) []byte {
	return []byte("{kind: Cluster, apiVersion: kind.x-k8s.io/v1alpha4, " + text + "}")
}

// kindNode is the node image that the test bed has for kind.
func (b *bed) kindNode() string {
	for _, flag := range b.kind {
		if image, ok := strings.CutPrefix(flag, "--image="); ok {
			return image
		}
	}
	return ""
}

// save returns the path of an archive of an image of the engine's.
func (b *bed) save(t *testing.T, image string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "image.tar")
	docker(t, "save", "--output", path, image)
	return path
}

func docker(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("docker", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// listen takes a port of the loopback for the length of a test.
func listen(t *testing.T, port int) {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
}
