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
	"github.com/clusterlab-dev/lab/providers/k3d"
	"github.com/clusterlab-dev/lab/providers/providertest"
)

func k3dFlavor() flavor {
	return flavor{
		name:     "k3d",
		node:     func(cluster string) string { return "k3d-" + cluster + "-server-0" },
		worker:   func(cluster string) string { return "k3d-" + cluster + "-agent-0" },
		network:  func(cluster string) string { return "k3d-" + cluster },
		balancer: func(cluster string) string { return "k3d-" + cluster + "-serverlb" },
		port:     80,
		web:      balancedPod,
		provider: func(t *testing.T, bed *bed) providers.Provider {
			return k3d.New(bed.k3dOptions())
		},
		harness: k3dHarness,
		refused: k3dRefused,
		asked:   k3dAsked,
		check:   k3dCheck,
		bare: func(b *bed, c *cluster) {
			c.env = append(c.env, b.flavors["k3d"].Env...)
			c.create = append([]string{"k3d", "cluster", "create", c.name, "--agents=1", "--api-port=127.0.0.1:random", "--timeout=180s"}, b.flavors["k3d"].Args...)
			c.loadOne = func(image string) []string {
				return []string{"k3d", "image", "import", "--mode=direct", "--cluster=" + c.name, image}
			}
			c.delete = []string{"k3d", "cluster", "delete", c.name}
		},
		publish: func(_ *testing.T, c *cluster, port int) {
			c.create = append(c.create, fmt.Sprintf("--port=127.0.0.1:%d:80@loadbalancer", port))
		},
		addWorker: func(*testing.T, *cluster) {}, // the cluster has one already
	}
}

// balancedPod returns a pod and a Service for which the load balancer listens at port 80.
func balancedPod(name, image string) string {
	return fmt.Sprintf(`{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Pod, metadata: {name: %[1]s, labels: {app: %[1]s}}, spec:
 {containers: [{name: web, image: %[2]q, imagePullPolicy: Never, ports: [{containerPort: 8080}]}]}}, {apiVersion: v1, kind: Service,
 metadata: {name: %[1]s}, spec: {type: LoadBalancer, selector: {app: %[1]s}, ports: [{port: 80, targetPort: 8080}]}}]}`, name, image)
}

// k3dOptions returns the options of the adapter with the test bed's images.
func (b *bed) k3dOptions() k3d.Options {
	f := b.flavors["k3d"]
	return k3d.Options{NodeImage: flag(f.Args, "--image"),
		LoadBalancerImage: flag(f.Env, "K3D_IMAGE_LOADBALANCER"), ToolsImage: flag(f.Env, "K3D_IMAGE_TOOLS")}
}

func k3dHarness(t *testing.T, bed *bed) providertest.Harness {
	options := bed.k3dOptions()
	none := options
	none.NodeImage = "127.0.0.1:1/none:v1.37.2-k3s1"
	port := freePort(t)
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp) // k3d leaves files there
	return providertest.Harness{
		Cannot: []providertest.Ability{providertest.Snapshots},
		New:    func() providers.Provider { return k3d.New(options) },
		Leaks:  func(t *testing.T, name string) []string { return append(leaks(t, name), k3dFiles(t, tmp)...) },
		Invalid: map[string]func(*providers.Spec){
			"a mount of a missing path": func(s *providers.Spec) {
				s.Mounts = []providers.Mount{{Host: filepath.Join(t.TempDir(), "none"), Node: "/x"}}
			},
			"an unknown native key": func(s *providers.Spec) { s.Native = k3dNative("nods: []") },
			"a native filter without a match": func(s *providers.Spec) {
				s.Native = k3dNative(`volumes: [{volume: "/a:/b", nodeFilters: ["server:7"]}]`)
			},
			"a native label that k3d reserves": func(s *providers.Spec) {
				s.Native = k3dNative(`options: {runtime: {labels: [{label: "k3d.role=x", nodeFilters: ["server:0"]}]}}`)
			},
			"two images": func(s *providers.Spec) { s.Native, s.NodeImage = k3dNative("image: a"), "b" },
			"one port used twice": func(s *providers.Spec) {
				s.Native = k3dNative(`ports: [{port: "8080:80", nodeFilters: ["loadbalancer"]}]`)
				s.Ports = []providers.Port{{Host: 8080, Container: 81}}
			},
		},
		Unsupported: map[string]func(*providers.Spec){
			"a driver":           func(s *providers.Spec) { s.Driver = "virtualbox" },
			"5000 workers":       func(s *providers.Spec) { s.Workers = 5000 },
			"the host's network": func(s *providers.Spec) { s.Native = k3dNative("network: host") },
		},
		Failures: map[string]func(*testing.T, *providers.Spec){
			"a port that is in use": func(t *testing.T, s *providers.Spec) {
				listen(t, port)
				s.Ports = []providers.Port{{Host: port, Container: 80}}
			},
			"an image that is not a node image, two nodes": func(_ *testing.T, s *providers.Spec) { s.NodeImage, s.Workers = bed.helloNew, 1 },
			// k3d's entrypoint keeps running without k3s, and k3d waits for a log line of k3s.
			"a k3s that fails": func(t *testing.T, s *providers.Spec) { // a file at the path of a directory
				file := filepath.Join(t.TempDir(), "file")
				if err := os.WriteFile(file, nil, 0o600); err != nil {
					t.Fatal(err)
				}
				s.Mounts = []providers.Mount{{Host: file, Node: "/var/lib/rancher/k3s/server"}}
			},
		},
		Unavailable: k3d.New(none),
		Context:     func(name string) string { return "k3d-" + name },
		HalfMade: func(t *testing.T, spec providers.Spec) {
			name := spec.Name
			docker(t, "network", "create", "--label=app=k3d", "k3d-"+name)
			docker(t, "volume", "create", "--label=app=k3d", "--label=k3d.cluster="+name, "k3d-"+name+"-images")
			docker(t, "run", "--detach", "--name=k3d-"+name+"-server-0", "--label=app=k3d", "--label=k3d.cluster="+name, "--label=k3d.role=server", "--label=clusterlab.dev/mark="+spec.Mark,
				"--network=k3d-"+name, "--volume=/var", "--entrypoint=sleep", options.NodeImage, "3600")
		},
		Goroutines: []string{"client.NodeWaitForLogMessage"}, // it polls twice a second
	}
}

// k3dFiles returns the temporary files that k3d left.
func k3dFiles(t *testing.T, dir string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "k3d-*"))
	if err != nil {
		t.Error(err)
	}
	return paths
}

func k3dNative(text string) []byte {
	return []byte("{kind: Simple, apiVersion: k3d.io/v1alpha5, " + text + "}")
}

func k3dRefused(t *testing.T, p *user) []refusal {
	port := freePort(t)
	listen(t, port)
	config := nativeFile(t, p, k3dNative("servers: two"))
	gate := nativeFile(t, p, k3dNative(`options: {k3s: {extraArgs: [{arg: "--kubelet-arg=feature-gates=NoSuchGate=true", nodeFilters: ["server:*"]}]}}`))
	return []refusal{
		{[]string{"--cluster-config", gate, "--timeout", "60s"}, 7, "unrecognized feature gate: NoSuchGate (timed out)\n"},
		{[]string{"--port", strconv.Itoa(port) + ":80"}, 1, "--port"},
		{[]string{"--image", "127.0.0.1:1/none:v1"}, 5, "127.0.0.1:1"},
		{[]string{"--mount", filepath.Join(p.dir, "none") + ":/x"}, 2, "no such file"},
		{[]string{"--cluster-config", config}, 2, "servers: Invalid type"},
	}
}

func k3dAsked(t *testing.T) providers.Spec {
	spec := askedFiles(t)
	spec.ControlPlanes, spec.Workers = 3, 1
	spec.Wants.NoIngress = true
	spec.Native = k3dNative(`options: {runtime: {labels: [{label: "asked=for", nodeFilters: ["agent:*"]}]}}`)
	return spec
}

// k3dCheck checks the files in every node, the arguments of k3s, and a setting of k3d's own configuration.
func k3dCheck(t *testing.T, spec providers.Spec) {
	nodes := strings.Fields(docker(t, "ps", "--filter=label=k3d.cluster="+spec.Name, "--format={{.Names}}"))
	if len(nodes) != 5 {
		t.Errorf("the containers are %q", nodes)
	}
	for _, node := range nodes {
		if strings.HasSuffix(node, "-serverlb") {
			continue
		}
		checkFiles(t, spec, node, "/etc/ssl/certs/lab-ca.pem")
		server := strings.Contains(node, "-server-")
		if told := docker(t, "inspect", "--format={{.Config.Cmd}}", node); strings.Contains(told, "--disable=traefik") != server {
			t.Errorf("the arguments of %s are %s", node, told)
		}
	}
	if got := strings.TrimSpace(docker(t, "ps", "--filter=label=asked=for", "--format={{.Names}}")); got != "k3d-"+spec.Name+"-agent-0" {
		t.Errorf("the label is on %q", got)
	}
}
