//go:build e2e && unix

package e2e

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/minikube"
	"github.com/clusterlab-dev/lab/providers/providertest"
)

// minikubeCA returns the path of the requested certificate in a node.
func minikubeCA(t *testing.T, spec providers.Spec) string {
	t.Helper()
	text, err := os.ReadFile(spec.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("/usr/share/ca-certificates/lab-%s-%x.pem", spec.Name, sha256.Sum256(text))
}

func minikubeFlavor() flavor {
	return flavor{
		name:    "minikube",
		node:    func(cluster string) string { return cluster },
		worker:  func(cluster string) string { return cluster + "-m02" },
		network: func(cluster string) string { return cluster },
		port:    80,
		web:     hostPod,
		left:    minikubeLeft,
		provider: func(t *testing.T, bed *bed) providers.Provider {
			return minikube.New(minikubeOptions(t, bed))
		},
		harness: minikubeHarness,
		refused: minikubeRefused,
		asked:   minikubeAsked,
		check:   minikubeCheck,
		bare: func(b *bed, c *cluster) {
			c.env = append(c.env, "MINIKUBE_HOME="+b.minikubeHome, "MINIKUBE_FORCE=true", "MINIKUBE_IN_STYLE=false")
			c.create = append([]string{"lab-minikube", "start", "--profile=" + c.name, "--driver=docker",
				"--container-runtime=containerd", "--interactive=false"}, b.flavors["minikube"].Args...)
			c.loadOne = func(image string) []string {
				return []string{"lab-minikube", "--profile=" + c.name, "image", "load", image}
			}
			c.delete = []string{"lab-minikube", "delete", "--profile=" + c.name}
		},
		publish: func(_ *testing.T, c *cluster, port int) {
			c.create = append(c.create, fmt.Sprintf("--ports=127.0.0.1:%d:80", port))
		},
		addWorker: func(_ *testing.T, c *cluster) { c.create = append(c.create, "--nodes=2") },
	}
}

func minikubeOptions(t *testing.T, bed *bed) minikube.Options {
	t.Helper()
	t.Setenv("MINIKUBE_FORCE", "true") // for root, and for a Kubernetes newer than minikube knows
	o := minikube.Options{ExtraArgs: bed.flavors["minikube"].Args, Home: bed.minikubeHome, Dir: filepath.Join(t.TempDir(), "minikube")}
	if own := filepath.Join(bed.dir, "bin", "lab-minikube"); isFile(own) {
		o.Program = own
	}
	return o
}

// minikubeLeft returns the files of a cluster in minikube's home, except its log, which stays.
func minikubeLeft(t *testing.T, bed *bed, cluster string) []string {
	var left []string
	for _, path := range filesBelow(t, bed.minikubeHome) {
		if strings.Contains(path, cluster) && filepath.Base(filepath.Dir(path)) != "logs" {
			left = append(left, path)
		}
	}
	return left
}

func minikubeHarness(t *testing.T, bed *bed) providertest.Harness {
	options := minikubeOptions(t, bed)
	base, port := flag(bed.flavors["minikube"].Args, "--base-image"), freePort(t)
	old := options
	old.ExtraArgs = []string{"--base-image=127.0.0.1:1/none:v1"}
	return providertest.Harness{
		Cannot: []providertest.Ability{providertest.Snapshots},
		New:    func() providers.Provider { return minikube.New(options) },
		Leaks: func(t *testing.T, name string) []string {
			return append(append(leaks(t, name), minikubeLeft(t, bed, name)...), filesBelow(t, options.Dir)...)
		},
		Invalid: map[string]func(*providers.Spec){
			"a mount of a missing path": func(s *providers.Spec) {
				s.Mounts = []providers.Mount{{Host: filepath.Join(options.Dir, "none"), Node: "/x"}}
			},
			"a native flag that lab reserves": func(s *providers.Spec) { s.Native = []byte("force: true") },
			"two images":                      func(s *providers.Spec) { s.Native, s.NodeImage = []byte("base-image: a"), "b" },
		},
		Unsupported: map[string]func(*providers.Spec){
			"two control planes": func(s *providers.Spec) { s.ControlPlanes = 2 },
			"ports and workers":  func(s *providers.Spec) { s.Workers, s.Ports = 1, []providers.Port{{Host: port, Container: 80}} },
			"the driver none":    func(s *providers.Spec) { s.Driver = "none" },
			"two mounts": func(s *providers.Spec) {
				s.Mounts = []providers.Mount{{Host: "/etc", Node: "/a"}, {Host: "/etc", Node: "/b"}}
			},
		},
		Failures: map[string]func(*testing.T, *providers.Spec){
			"a port that is in use": func(t *testing.T, s *providers.Spec) {
				listen(t, port)
				s.Ports = []providers.Port{{Host: port, Container: 80}}
			},
			"an image that is not a node image": func(_ *testing.T, s *providers.Spec) { s.NodeImage = bed.helloNew },
			"an unknown flag":                   func(_ *testing.T, s *providers.Spec) { s.Native = []byte("nonsense: true") },
			"a kubeadm that fails": func(_ *testing.T, s *providers.Spec) {
				s.Native = []byte("extra-config: kubeadm.pod-network-cidr=nonsense")
			},
		},
		Unavailable: minikube.New(old),
		Context:     func(name string) string { return name },
		HalfMade: func(t *testing.T, spec providers.Spec) {
			name := spec.Name
			docker(t, "run", "--detach", "--name", name, "--label", "name.minikube.sigs.k8s.io="+name,
				"--volume", "/var", "--entrypoint", "sleep", base, "3600")
			// minikube writes the profile before it creates a container.
			dir := filepath.Join(bed.minikubeHome, "profiles", name)
			config := fmt.Sprintf(`{"Driver":"docker","KubernetesConfig":{"APIServerNames":["%s.lab.invalid"]}}`, spec.Mark)
			if err := errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o600)); err != nil {
				t.Fatal(err)
			}
		},
	}
}

func minikubeRefused(t *testing.T, p *user) []refusal {
	port := freePort(t)
	listen(t, port)
	gate := nativeFile(t, p, []byte("extra-config: kubelet.feature-gates=NoSuchGate=true\n"))
	return []refusal{
		{[]string{"--cluster-config", gate, "--timeout", "90s"}, 7, "does not start: failed to set feature gates from initial flags-based config: unrecognized feature gate: NoSuchGate (timed out)\n"},
		{[]string{"--port", strconv.Itoa(port) + ":80"}, 1, "use another port"},
		{[]string{"--image", "127.0.0.1:1/none:v1"}, 5, "docker pull 127.0.0.1:1/none:v1"},
		{[]string{"--mount", filepath.Join(p.dir, "none") + ":/x"}, 2, "no such file"},
		{[]string{"--control-planes", "2"}, 6, "--control-planes 3"},
		{[]string{"--workers", "1", "--port", "8080:80"}, 6, "use --flavor kind"},
		{[]string{"--driver", "none"}, 6, "lab up minikube"},
	}
}

// minikubeAsked also requests a worker. The test bed's minikube does not support several control planes.
func minikubeAsked(t *testing.T) providers.Spec {
	spec := askedFiles(t)
	spec.Workers, spec.Wants.ControlPlaneMetrics = 1, true
	return spec
}

func minikubeCheck(t *testing.T, spec providers.Spec) {
	for _, node := range []string{spec.Name, spec.Name + "-m02"} {
		checkFiles(t, spec, node, minikubeCA(t, spec))
	}
	checkMetrics(t, spec.Name, spec.Name, false)
}
