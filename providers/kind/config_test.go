package kind

import (
	"errors"
	"flag"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/golden"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

var update = flag.Bool("update", false, "write the golden files")

// standard is a node image in these tests.
const standard = "registry.corp:5000/kind-node:v1.37.2"

const nativeHead = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n"

func TestConfigGolden(t *testing.T) {
	t.Parallel()
	for name, spec := range map[string]providers.Spec{
		"least":   {},
		"nodes":   {ControlPlanes: 3, Workers: 2},
		"version": {KubernetesVersion: "v1.34.1"},
		"image":   {NodeImage: "mine:v1", KubernetesVersion: "v1.30.0"},
		"metrics": {Wants: providers.Wants{ControlPlaneMetrics: true, NoIngress: true, NoMetricsServer: true}},
		"marked":  {Mark: "0b9d7a52-5f0e-4a5c-9d8e-3f6f2c1a7e44", Workers: 1},
		"quick":   {Wants: providers.Wants{UnsyncedEtcd: true}},
		"ca":      {CAFile: "/etc/corp.pem", Workers: 1},
		"reached": {Ports: []providers.Port{{Host: 8080, Container: 80}, {Address: "0.0.0.0", Host: 53, Container: 53, Protocol: "udp"}}, Workers: 1},
		"mounted": {Mounts: []providers.Mount{{Host: "/src", Node: "/src", ReadOnly: true}, {Host: "/data", Node: "/d"}}, Workers: 1},
		"native":  {Native: []byte(nativeHead + "name: other\nnodes: [{}, {role: worker, image: own:v1}]\nnetworking: {ipFamily: dual}\nfeatureGates: {A: true}\n")},
		"underneath": {
			Workers: 1, Ports: []providers.Port{{Host: 8080, Container: 80}}, Mounts: []providers.Mount{{Host: "/src", Node: "/src"}},
			Wants: providers.Wants{ControlPlaneMetrics: true},
			Native: []byte(nativeHead + `nodes:
- role: worker
  labels: {tier: front}
  extraPortMappings: [{hostPort: 8081, containerPort: 81}, {hostPort: 8080, containerPort: 80, listenAddress: 10.0.0.1}]
- role: control-plane
  extraMounts: [{hostPath: /src, containerPath: /src, readOnly: true}]
kubeadmConfigPatches: ["kind: InitConfiguration"]
`),
		},
	} {
		t.Run(name, func(t *testing.T) {
			spec.Name = "lab"
			config, err := configFor(spec.WithDefaults(), standard)
			if err != nil {
				t.Fatal(err)
			}
			quicken(config)
			text, err := yaml.Marshal(config)
			if err != nil {
				t.Fatal(err)
			}
			golden.Check(t, *update, filepath.Join("testdata", name+".golden.yaml"), string(text))
		})
	}
}

func TestConfigRefused(t *testing.T) {
	t.Parallel()
	for says, test := range map[string]struct {
		spec providers.Spec
		kind error
	}{
		`does not support drivers, such as "kvm"`: {providers.Spec{Driver: "kvm"}, fault.ErrUnsupported},
		"1001 nodes are more than":                {providers.Spec{Workers: 1000}, fault.ErrUnsupported},
		"field nods not found":                    {providers.Spec{Native: []byte(nativeHead + "nods: []")}, fault.ErrInvalid},
		`kind is "Config"`:                        {providers.Spec{Native: []byte("kind: Config")}, fault.ErrInvalid},
		`node 1 has the unknown role "boss"`:      {providers.Spec{Native: []byte(nativeHead + "nodes: [{role: boss}]")}, fault.ErrInvalid},
		"no node with the role control-plane":     {providers.Spec{Native: []byte(nativeHead + "nodes: [{role: worker}]")}, fault.ErrInvalid},
		"it has 1 control planes, but 3":          {providers.Spec{ControlPlanes: 3, Native: []byte(nativeHead + "nodes: [{}]")}, fault.ErrInvalid},
		"it has 0 workers, but 2":                 {providers.Spec{Workers: 2, Native: []byte(nativeHead + "nodes: [{}]")}, fault.ErrInvalid},
		"node 1 has the image a, but b":           {providers.Spec{NodeImage: "b", Native: []byte(nativeHead + "nodes: [{image: a}]")}, fault.ErrInvalid},
		"has the image a, but registry":           {providers.Spec{KubernetesVersion: "v1.37.1", Native: []byte(nativeHead + "nodes: [{image: a}]")}, fault.ErrInvalid},
		"node 1 mounts /a at /m":                  {providers.Spec{Mounts: []providers.Mount{{Host: "/b", Node: "/m"}}, Native: []byte(nativeHead + "nodes: [{extraMounts: [{hostPath: /a, containerPath: /m}]}]")}, fault.ErrInvalid},
		"host port 80 is already published":       {providers.Spec{Ports: []providers.Port{{Host: 80, Container: 8080}}, Native: []byte(nativeHead + "nodes: [{extraPortMappings: [{hostPort: 80, containerPort: 80}]}]")}, fault.ErrInvalid},
	} {
		test.spec.Name = "lab"
		_, err := configFor(test.spec.WithDefaults(), standard)
		if !errors.Is(err, test.kind) || !strings.Contains(err.Error(), says) || fault.HintOf(err) == "" {
			t.Errorf("%v (hint %q), want %v that says %q", err, fault.HintOf(err), test.kind, says)
		}
	}
}

// TestMarkNeedsNoLocalDirectory checks that the directory that a mark is mounted from need not
// exist on this machine: the engine may be in a virtual machine.
func TestMarkNeedsNoLocalDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config, err := configFor(providers.Spec{Name: "lab", ControlPlanes: 1, Mark: "a-mark", Mounts: []providers.Mount{{Host: dir, Node: "/m"}}}, standard)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{dir}, sources(config)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNodeImage(t *testing.T) {
	t.Parallel()
	const digest = "kindest/node:v1.37.0@sha256:aa"
	for _, test := range []struct{ image, version, asked, want string }{
		{digest, "", "", digest},
		{digest, "v1.37.0", "", digest},
		{digest, "v1.36.1", "", "kindest/node:v1.36.1"},
		{digest, "v1.36.1", "mine", "mine"},
		{"reg:5000/node", "v1.36.1", "", "reg:5000/node:v1.36.1"},
		{standard, "v1.37.2", "", standard},
	} {
		if got := nodeImage(providers.Spec{KubernetesVersion: test.version, NodeImage: test.asked}, test.image); got != test.want {
			t.Errorf("%+v: %q", test, got)
		}
	}
}

func TestForCgroupV1(t *testing.T) {
	t.Parallel()
	for image, want := range map[string]bool{
		"node:v1.34.9": false, "node:v1.35.0": true, "node:v1.37.2@sha256:aa": true, "node:v1.40.0": true, "node": true, "node:latest": true,
	} {
		config, err := configFor(providers.Spec{Name: "lab", ControlPlanes: 1, NodeImage: image}, "")
		if err != nil {
			t.Fatal(err)
		}
		if got := allowCgroupV1(config); got != want || (len(config.KubeadmConfigPatches) == 1) != want {
			t.Errorf("%s: %t, with the patches %q", image, got, config.KubeadmConfigPatches)
		}
	}
}

func TestNamesAndImages(t *testing.T) {
	t.Parallel()
	config, err := configFor(providers.Spec{Name: "lab", ControlPlanes: 2, Workers: 2}, standard)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"lab-control-plane", "lab-control-plane2", "lab-worker", "lab-worker2", "lab-external-load-balancer"}
	if diff := cmp.Diff(names, namesOf(config)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(nodes.Images(imageVariable, standard, balancerImage), imagesOf(config)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestTraits checks that traits say what kind's own configuration leaves out.
func TestTraits(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]providers.Without{
		"":                                      {},
		"networking: {disableDefaultCNI: true}": {CNI: true},
		"networking: {disableDefaultCNI: true, kubeProxyMode: none}":                                   {CNI: true, KubeProxy: true},
		"networking: {kubeProxyMode: ipvs}":                                                            {},
		"nodes:\n- kubeadmConfigPatches: ['{kind: InitConfiguration, skipPhases: [addon/coredns]}']":   {DNS: true},
		"kubeadmConfigPatches:\n- |\n  kind: InitConfiguration\n  skipPhases:\n  - addon/kube-proxy\n": {KubeProxy: true},
	} {
		if got := New(Options{}).Traits(providers.Spec{Native: []byte(nativeHead + text)}).Without; got != want {
			t.Errorf("%s: without %+v, want %+v", text, got, want)
		}
	}
}

// TestLocalize: mounts are relative to the file, and a host directory that is missing is not for
// Docker to create.
func TestLocalize(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := []byte(nativeHead + "nodes:\n  - extraMounts: [{hostPath: ./src, containerPath: /src}, {hostPath: /, containerPath: /host}]\n  - role: worker\n    extraMounts: [{hostPath: ../up, containerPath: /up}]\n")
	p := New(Options{})
	c, err := parseNative(p.Localize(text, dir))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{filepath.Join(dir, "src"), "/", filepath.Join(filepath.Dir(dir), "up")}
	if diff := cmp.Diff(want, sources(c)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	err = p.Create(t.Context(), providers.Spec{Name: "lab", ControlPlanes: 1, Native: p.Localize(text, dir)}, nil)
	if !errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), "cannot mount "+want[0]) {
		t.Errorf("a mount of nothing: %v", err)
	}
}
