//go:build e2e && unix

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/kind"
	"github.com/clusterlab-dev/lab/providers/providertest"
)

func kindFlavor() flavor {
	return flavor{
		name:    "kind",
		node:    func(cluster string) string { return cluster + "-control-plane" },
		worker:  func(cluster string) string { return cluster + "-worker" },
		network: func(string) string { return "kind" },
		port:    80,
		web:     hostPod,
		provider: func(t *testing.T, bed *bed) providers.Provider {
			return kind.New(kind.Options{NodeImage: bed.kindNode(), Dir: filepath.Join(t.TempDir(), "kind")})
		},
		harness: kindHarness,
		refused: kindRefused,
		asked:   kindAsked,
		check:   kindCheck,
		bare: func(b *bed, c *cluster) {
			c.create = append([]string{"kind", "create", "cluster", "--name=" + c.name, "--wait=90s"}, b.flavors["kind"].Args...)
			c.loadOne = func(image string) []string {
				return []string{"kind", "load", "docker-image", image, "--name=" + c.name}
			}
			c.delete = []string{"kind", "delete", "cluster", "--name=" + c.name}
		},
		publish: func(t *testing.T, c *cluster, port int) {
			c.configure(t, fmt.Sprintf("{role: control-plane, extraPortMappings: [{hostPort: %d, containerPort: 80, "+
				"listenAddress: 127.0.0.1}]}", port))
		},
		addWorker: func(t *testing.T, c *cluster) { c.configure(t, "{role: control-plane}, {role: worker}") },
	}
}

// configure sets the nodes of a kind cluster, which kind reads from a file only.
func (c *cluster) configure(t *testing.T, nodes string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kind.yaml")
	config := "{kind: Cluster, apiVersion: kind.x-k8s.io/v1alpha4, nodes: [" + nodes + "]}"
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	c.create = append(c.create, "--config="+path)
}

// hostPod returns a pod that listens at port 80 of its node.
func hostPod(name, image string) string {
	return fmt.Sprintf(`{apiVersion: v1, kind: Pod, metadata: {name: %s}, spec: {containers: [{name: web, image: %q,
 imagePullPolicy: Never, ports: [{containerPort: 8080, hostPort: 80}]}]}}`, name, image)
}

// kindNode returns the test bed's node image of kind.
func (b *bed) kindNode() string { return flag(b.flavors["kind"].Args, "--image") }

func kindHarness(t *testing.T, bed *bed) providertest.Harness {
	options := kind.Options{NodeImage: bed.kindNode(), Dir: filepath.Join(t.TempDir(), "kind")}
	port := freePort(t)
	return providertest.Harness{
		Cannot: []providertest.Ability{providertest.Snapshots},
		New:    func() providers.Provider { return kind.New(options) },
		Leaks:  func(t *testing.T, name string) []string { return append(leaks(t, name), filesBelow(t, options.Dir)...) },
		Invalid: map[string]func(*providers.Spec){
			"a mount of a missing path": func(s *providers.Spec) {
				s.Mounts = []providers.Mount{{Host: filepath.Join(options.Dir, "none"), Node: "/x"}}
			},
			"an unknown native key":       func(s *providers.Spec) { s.Native = kindNative("nods: []") },
			"an unknown native IP family": func(s *providers.Spec) { s.Native = kindNative("networking: {ipFamily: none}") },
			"two images":                  func(s *providers.Spec) { s.Native, s.NodeImage = kindNative("nodes: [{image: a}]"), "b" },
		},
		Unsupported: map[string]func(*providers.Spec){
			"a driver":     func(s *providers.Spec) { s.Driver = "virtualbox" },
			"5000 workers": func(s *providers.Spec) { s.Workers = 5000 },
		},
		Failures: map[string]func(*testing.T, *providers.Spec){
			"a port that is in use": func(t *testing.T, s *providers.Spec) {
				listen(t, port)
				s.Ports = []providers.Port{{Host: port, Container: 80}}
			},
			"an image that is not a node image, two nodes": func(_ *testing.T, s *providers.Spec) { s.NodeImage, s.Workers = bed.helloNew, 1 },
			"a kubeadm that fails": func(_ *testing.T, s *providers.Spec) {
				s.Native = kindNative(`kubeadmConfigPatches: ["{kind: ClusterConfiguration, networking: {podSubnet: nonsense}}"]`)
			},
		},
		Unavailable: kind.New(kind.Options{NodeImage: "127.0.0.1:1/none:v1.37.2", Dir: options.Dir}),
		Context:     func(name string) string { return "kind-" + name },
		HalfMade: func(t *testing.T, spec providers.Spec) {
			name := spec.Name
			docker(t, "run", "--detach", "--name", name+"-control-plane", "--label", "io.x-k8s.kind.cluster="+name,
				"--label", "io.x-k8s.kind.role=control-plane", "--volume", "/var", "--volume", "/lib/modules:/kind/lab/"+spec.Mark+":ro", "--entrypoint", "sleep", options.NodeImage, "3600")
		},
	}
}

func kindNative(text string) []byte {
	return []byte("{kind: Cluster, apiVersion: kind.x-k8s.io/v1alpha4, " + text + "}")
}

func kindRefused(t *testing.T, p *user) []refusal {
	port := freePort(t)
	listen(t, port)
	gate := nativeFile(t, p, kindNative(`kubeadmConfigPatches: [
  "{kind: InitConfiguration, timeouts: {kubeletHealthCheck: 15s}}",
  "{kind: KubeletConfiguration, featureGates: {NoSuchGate: true}}",
]`))
	return []refusal{
		{[]string{"--cluster-config", gate}, 1, "-control-plane does not start: failed to merge global and in-flight KubeletConfiguration while setting defaults, error: unrecognized feature gate: NoSuchGate\n"},
		{[]string{"--port", strconv.Itoa(port) + ":80"}, 1, "use another port: --port"},
		{[]string{"--image", "127.0.0.1:1/none:v1"}, 5, "export LAB_IMAGES_KIND_NODE=IMAGE"},
		{[]string{"--mount", filepath.Join(p.dir, "none") + ":/x"}, 2, "no such file"},
	}
}

func kindAsked(t *testing.T) providers.Spec {
	spec := askedFiles(t)
	spec.ControlPlanes, spec.Wants.ControlPlaneMetrics = 3, true
	return spec
}

// kindCheck checks the files in every node, and the metrics of the second control plane.
func kindCheck(t *testing.T, spec providers.Spec) {
	for node := range strings.FieldsSeq(docker(t, "ps", "--all", "--filter=label=io.x-k8s.kind.cluster="+spec.Name, "--format={{.Names}}")) {
		if !strings.HasSuffix(node, "-balancer") {
			checkFiles(t, spec, node, "/etc/ssl/certs/lab-ca.pem")
		}
	}
	checkMetrics(t, "kind", spec.Name+"-control-plane2", true)
}
