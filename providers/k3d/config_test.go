package k3d

import (
	"errors"
	"flag"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	k3d "github.com/k3d-io/k3d/v5/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/golden"
)

var update = flag.Bool("update", false, "write the golden files")

// standard is a node image in these tests.
const standard = "registry.corp:5000/k3s:v1.37.1-k3s1"

const nativeHead = "kind: Simple\napiVersion: k3d.io/v1alpha5\n"

func TestConfigGolden(t *testing.T) {
	t.Parallel()
	for name, spec := range map[string]providers.Spec{
		"least":   {},
		"nodes":   {ControlPlanes: 3, Workers: 2},
		"version": {KubernetesVersion: "v1.34.1"},
		"image":   {NodeImage: "mine:v1", KubernetesVersion: "v1.30.0"},
		"wants":   {Wants: providers.Wants{ControlPlaneMetrics: true, NoIngress: true, NoMetricsServer: true}},
		"ca":      {CAFile: "/etc/corp.pem", Workers: 1},
		"marked":  {Mark: "0b9d7a52-5f0e-4a5c-9d8e-3f6f2c1a7e44", Workers: 1},
		"reached": {Ports: []providers.Port{{Host: 8080, Container: 80}, {Address: "::1", Host: 53, Container: 5353, Protocol: "udp"}}},
		"mounted": {Mounts: []providers.Mount{{Host: "/src", Node: "/src", ReadOnly: true}, {Host: "/data", Node: "/d"}}},
		"native":  {Native: []byte(nativeHead + "metadata: {name: other}\nservers: 3\nimage: own:v1\nsubnet: 172.28.0.0/16\ntoken: secret\nkubeAPI: {hostIP: 10.0.0.1, hostPort: '6550'}\noptions: {k3d: {timeout: 90s, wait: false}}\n")},
		"underneath": {
			Workers: 1, Ports: []providers.Port{{Host: 8080, Container: 80}}, Mounts: []providers.Mount{{Host: "/src", Node: "/src"}},
			Wants: providers.Wants{NoIngress: true, NoMetricsServer: true},
			Native: []byte(nativeHead + `agents: 1
volumes: [{volume: "/src:/src:ro", nodeFilters: ["server:0"]}, {volume: "/own:/own", nodeFilters: ["all"]}]
ports: [{port: "8081:81", nodeFilters: ["loadbalancer"]}]
registries: {create: {name: reg}}
options:
  k3d: {disableLoadbalancer: true}
  k3s: {extraArgs: [{arg: "--disable=traefik,local-storage", nodeFilters: ["server:*"]}]}
`),
		},
	} {
		t.Run(name, func(t *testing.T) {
			spec.Name = "lab"
			config, err := configFor(spec.WithDefaults(), Options{NodeImage: standard})
			if err != nil {
				t.Fatal(err)
			}
			text, err := yaml.Marshal(config)
			if err != nil {
				t.Fatal(err)
			}
			golden.Check(t, *update, filepath.Join("testdata", name+".golden.yaml"), string(text))
		})
	}
}

func native(text string) []byte { return []byte(nativeHead + text) }

func TestRefused(t *testing.T) {
	t.Parallel()
	for says, test := range map[string]struct {
		spec providers.Spec
		kind error
	}{
		`does not support drivers, such as "kvm"`: {providers.Spec{Driver: "kvm"}, fault.ErrUnsupported},
		"1001 nodes are more than":                {providers.Spec{Workers: 1000}, fault.ErrUnsupported},
		"in the host network":                     {providers.Spec{Native: native("network: host")}, fault.ErrUnsupported},
		"Additional property nods":                {providers.Spec{Native: native("nods: []")}, fault.ErrInvalid},
		"apiVersion":                              {providers.Spec{Native: []byte("kind: Simple\napiVersion: k3d.io/v1alpha9\n")}, fault.ErrInvalid},
		"did not find expected":                   {providers.Spec{Native: []byte("{")}, fault.ErrInvalid},
		`the label "k3d.x" is reserved by k3d`:    {providers.Spec{Native: native(`options: {runtime: {labels: [{label: "k3d.x=y", nodeFilters: [all]}]}}`)}, fault.ErrInvalid},
		`unknown ulimit "x"`:                      {providers.Spec{Native: native(`options: {runtime: {ulimits: [{name: x}]}}`)}, fault.ErrInvalid},
		`the image "+v1.31" is a channel`:         {providers.Spec{Native: native(`image: "+v1.31"`)}, fault.ErrInvalid},
		"it has 2 servers, but 3 control":         {providers.Spec{ControlPlanes: 3, Native: native("servers: 2")}, fault.ErrInvalid},
		"it has 1 agents, but 2 workers":          {providers.Spec{Workers: 2, Native: native("agents: 1")}, fault.ErrInvalid},
		"it has the image a, but b":               {providers.Spec{NodeImage: "b", Native: native("image: a")}, fault.ErrInvalid},
		"it has the image a, but registry":        {providers.Spec{KubernetesVersion: "v1.36.0", Native: native("image: a")}, fault.ErrInvalid},
		"it mounts /a at /m":                      {providers.Spec{Mounts: []providers.Mount{{Host: "/b", Node: "/m"}}, Native: native(`volumes: [{volume: "/a:/m", nodeFilters: [all]}]`)}, fault.ErrInvalid},
		"does not support paths with a colon":     {providers.Spec{Mounts: []providers.Mount{{Host: "/b:c", Node: "/m"}}}, fault.ErrInvalid},
		"host port 80 is already published":       {providers.Spec{Ports: []providers.Port{{Host: 80, Container: 8080}}, Native: native(`ports: [{port: "80:80", nodeFilters: [loadbalancer]}]`)}, fault.ErrInvalid},
		"Index out of range":                      {providers.Spec{Native: native(`ports: [{port: "80:80", nodeFilters: ["server:4"]}]`)}, fault.ErrInvalid},
	} {
		test.spec.Name = "lab"
		config, err := configFor(test.spec.WithDefaults(), Options{NodeImage: standard})
		if err == nil {
			_, err = complete(t.Context(), config, Options{})
		}
		if !errors.Is(err, test.kind) || !strings.Contains(err.Error(), says) || fault.HintOf(err) == "" {
			t.Errorf("%v (hint %q), want %v that says %q", err, fault.HintOf(err), test.kind, says)
		}
	}
}

func TestNodeImage(t *testing.T) {
	t.Parallel()
	const digest = "rancher/k3s:v1.37.1-k3s1@sha256:aa"
	for _, test := range []struct{ image, version, asked, want string }{
		{digest, "", "", digest},
		{digest, "v1.37.1", "", digest},
		{digest, "v1.37.1-k3s2", "", "rancher/k3s:v1.37.1-k3s2"},
		{digest, "v1.36.1", "", "rancher/k3s:v1.36.1-k3s1"},
		{digest, "v1.36.1", "mine", "mine"},
		{"reg:5000/k3s", "v1.36.1", "", "reg:5000/k3s:v1.36.1-k3s1"},
	} {
		if got := nodeImage(providers.Spec{KubernetesVersion: test.version, NodeImage: test.asked}, test.image); got != test.want {
			t.Errorf("%+v: %q", test, got)
		}
	}
}

func TestAllowCgroupV1(t *testing.T) {
	t.Parallel()
	for image, want := range map[string]bool{"k3s:v1.34.9-k3s1": false, "k3s:v1.35.0-k3s1": true, "k3s:v1.37.1-k3s1@sha256:aa": true, "k3s": true} {
		config, err := configFor(providers.Spec{Name: "lab", ControlPlanes: 1, NodeImage: image}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := allowCgroupV1(config); got != want || (len(config.Options.K3sOptions.ExtraArgs) == 1) != want {
			t.Errorf("%s: %t, with %v", image, got, config.Options.K3sOptions.ExtraArgs)
		}
	}
}

func TestTraits(t *testing.T) {
	t.Parallel()
	all := providers.Traits{RunsPods: true, HostPorts: providers.HostPortsLoadBalancer, LoadBalancer: providers.LoadBalancerBuiltin,
		Ingress: true, MetricsServer: true}
	without, closed, unserved := all, all, all
	without.MetricsServer, closed.Ingress, unserved.LoadBalancer = false, false, ""
	bare := all
	bare.Without = providers.Without{CNI: true, KubeProxy: true, DNS: true}
	disable := func(part string) []byte {
		return native(`options: {k3s: {extraArgs: [{arg: "--disable=x,` + part + `", nodeFilters: ["server:*"]}]}}`)
	}
	for name, test := range map[string]struct {
		spec providers.Spec
		want providers.Traits
	}{
		"least":              {providers.Spec{}, all},
		"no metrics-server":  {providers.Spec{Wants: providers.Wants{NoMetricsServer: true, ControlPlaneMetrics: true}}, without},
		"none by native":     {providers.Spec{Native: disable("metrics-server")}, without},
		"no Traefik":         {providers.Spec{Wants: providers.Wants{NoIngress: true}}, closed},
		"no Traefik, native": {providers.Spec{Native: disable("traefik")}, closed},
		"no servicelb":       {providers.Spec{Native: disable("servicelb")}, unserved},
		"no CNI, proxy, DNS": {providers.Spec{Native: native(`options: {k3s: {extraArgs: [{arg: "--flannel-backend=none"}, {arg: "--disable-kube-proxy"}, {arg: "--disable=coredns"}]}}`)}, bare},
		"invalid native":     {providers.Spec{Native: []byte("{")}, all},
	} {
		if diff := cmp.Diff(test.want, New(Options{}).Traits(test.spec)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestLocalize: paths are relative to the file, variables are expanded as in k3d, and values
// that are not paths do not change.
func TestLocalize(t *testing.T) {
	t.Setenv("SHOP", "/srv/shop")
	text := native(`# mine
volumes:
  - {volume: "./data:/data", nodeFilters: [all]}
  - {volume: "$SHOP/cache:/cache", nodeFilters: ["server:0"]}
  - {volume: "named:/named"}
files:
  - {source: manifests/extra.yaml, destination: /x}
  - {source: "a: 1\nb: 2\n", destination: /y}
registries: {config: registries.yaml}
`)
	p := New(Options{})
	c, err := parseNative(p.Localize(text, "/cluster"))
	if err != nil {
		t.Fatal(err)
	}
	got := []string{c.Volumes[0].Volume, c.Volumes[1].Volume, c.Volumes[2].Volume, c.Files[0].Source, c.Files[1].Source, c.Registries.Config}
	want := []string{"/cluster/data:/data", "/srv/shop/cache:/cache", "named:/named", "/cluster/manifests/extra.yaml", "a: 1\nb: 2\n", "/cluster/registries.yaml"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if again := p.Localize(p.Localize(text, "/cluster"), "/other"); string(again) != string(p.Localize(text, "/cluster")) {
		t.Errorf("a second time it became\n%s", again)
	}
	for _, text := range []string{"", "{", "a: [", "- x"} {
		if got := p.Localize([]byte(text), "/x"); string(got) != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

// TestOlderVersions checks that configurations of older versions of k3d are accepted.
func TestOlderVersions(t *testing.T) {
	t.Parallel()
	for version, text := range map[string]string{
		"v1alpha4": "metadata: {name: x}\nservers: 1\nagents: 2\n",
		"v1alpha3": "name: x\nservers: 1\nagents: 2\n",
		"v1alpha2": "name: x\nservers: 1\nagents: 2\n",
	} {
		c, err := parseNative([]byte("apiVersion: k3d.io/" + version + "\nkind: Simple\n" + text))
		if err != nil || c.Agents != 2 || c.Name != "x" {
			t.Errorf("%s: %+v, %v", version, c, err)
		}
	}
}

// TestRecallDisabled checks that k3d is told at a start that CoreDNS is disabled.
func TestRecallDisabled(t *testing.T) {
	t.Parallel()
	without, with := &k3d.Node{Cmd: []string{"server", "--disable=traefik,coredns"}}, &k3d.Node{Cmd: []string{"server", "--disable=traefik"}}
	recallDisabled(&k3d.Cluster{Nodes: []*k3d.Node{without, with}})
	if len(without.Args) != 1 || len(with.Args) != 0 {
		t.Errorf("arguments %q and %q", without.Args, with.Args)
	}
}
