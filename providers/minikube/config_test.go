//go:build !windows

package minikube

import (
	"errors"
	"flag"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/golden"
)

var update = flag.Bool("update", false, "write the golden files")

func TestArgsGolden(t *testing.T) {
	t.Parallel()
	for name, spec := range map[string]providers.Spec{
		"least":   {},
		"nodes":   {ControlPlanes: 3, Workers: 2},
		"worker":  {Workers: 1},
		"version": {KubernetesVersion: "v1.34.1", NodeImage: "mine:v1"},
		"driver":  {Driver: "kvm2"},
		"metrics": {Wants: providers.Wants{ControlPlaneMetrics: true, NoIngress: true, NoMetricsServer: true}},
		"ca":      {CAFile: "/etc/corp.pem", Workers: 1},
		"marked":  {Mark: "0b9d7a52-5f0e-4a5c-9d8e-3f6f2c1a7e44"},
		"reached": {Ports: []providers.Port{{Host: 8080, Container: 80}, {Address: "::1", Host: 53, Container: 53, Protocol: "udp"}}},
		"mounted": {Mounts: []providers.Mount{{Host: "/src", Node: "/in", ReadOnly: true}}},
		"native": {Native: []byte("memory: 4g\naddons: [ingress, metrics-server]\nextra-config:\n- kubelet.max-pods=50\nports: [\"80\", 81:81, 0.0.0.0:82:82]\n"),
			Wants: providers.Wants{ControlPlaneMetrics: true}, KubernetesVersion: "v1.35.0"},
	} {
		t.Run(name, func(t *testing.T) {
			spec.Name = "lab"
			args, err := Options{}.argsFor(spec.WithDefaults())
			if err != nil {
				t.Fatal(err)
			}
			golden.Check(t, *update, filepath.Join("testdata", name+".golden"), strings.Join(args, "\n")+"\n")
		})
	}
	t.Run("configured", func(t *testing.T) {
		p := New(Options{BaseImage: "registry.corp/base:v1", ExtraArgs: []string{"--cni=bridge", "--container-runtime=cri-o"},
			Registries: map[string]string{"docker.io": "mirror.corp", "quay.io": "quay.corp"}})
		args, err := p.opts.argsFor(providers.Spec{Name: "lab", NodeImage: "mine:v1"}.WithDefaults())
		if err != nil {
			t.Fatal(err)
		}
		golden.Check(t, *update, filepath.Join("testdata", "configured.golden"), strings.Join(args, "\n")+"\n")
	})
}

func TestRefused(t *testing.T) {
	t.Parallel()
	two := []providers.Port{{Host: 8080, Container: 80}}
	mount := providers.Mount{Host: "/a", Node: "/a"}
	for says, spec := range map[string]providers.Spec{
		"the second node":               {Name: "lab-m2"},
		"the driver none supports one":  {Driver: "none"},
		"1 or 3 control planes":         {ControlPlanes: 2},
		"at most 250 nodes":             {Workers: 250},
		"only in a cluster of one node": {Workers: 1, Ports: two},
		"cannot publish ports":          {Driver: "kvm2", Ports: two},
		"supports one mount":            {Mounts: []providers.Mount{mount, mount}},
		"its only node":                 {Name: "minikube", Driver: "none", Mounts: []providers.Mount{mount}},
	} {
		if spec.Name == "" {
			spec.Name = "lab"
		}
		_, err := Options{}.argsFor(spec.WithDefaults())
		if !errors.Is(err, fault.ErrUnsupported) || !strings.Contains(err.Error(), says) || fault.HintOf(err) == "" {
			t.Errorf("%+v: %v (hint %q), want ErrUnsupported with %q", spec, err, fault.HintOf(err), says)
		}
	}
	for _, native := range []string{"ports: 8080:80", "ports: [8080:80]"} {
		_, err := Options{}.argsFor(providers.Spec{Name: "lab", Workers: 1, Native: []byte(native)}.WithDefaults())
		if !errors.Is(err, fault.ErrUnsupported) {
			t.Errorf("%s with a worker: %v", native, err)
		}
	}
}

func TestNativeRefused(t *testing.T) {
	t.Parallel()
	spec := providers.Spec{Name: "lab", KubernetesVersion: "v1.34.0", Workers: 1, Wants: providers.Wants{ControlPlaneMetrics: true}}
	for native, says := range map[string]string{
		"- memory":                    "it must be a map",
		"memory: 4g\nmemory: 5g":      "line 2: memory is set twice",
		"a: [":                        "did not find",
		"memory:":                     "line 1: memory must have a value",
		"addons: [{a: b}]":            "addons must have a value",
		"--memory: 4g":                `"--memory" is not a flag`,
		"p: other":                    `"p" is not a flag`,
		"profile: other":              "profile is set by lab",
		"force: true":                 "force is set by lab",
		"kubernetes-version: v1.33.0": "it sets kubernetes-version: v1.33.0, but v1.34.0 is requested",
		"nodes: 3":                    "it sets nodes: 3, but 2 is requested",
		"extra-config: scheduler.bind-address=127.0.0.1": "but scheduler.bind-address=0.0.0.0 is requested",
	} {
		spec.Native = []byte(native)
		_, err := Options{}.argsFor(spec.WithDefaults())
		if !errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), says) || fault.HintOf(err) == "" {
			t.Errorf("%q: %v (hint %q), want ErrInvalid with %q", native, err, fault.HintOf(err), says)
		}
	}
	for _, native := range []string{"", "# nothing\n", "kubernetes-version: v1.34.0", "nodes: 2"} {
		spec.Native = []byte(native)
		if _, err := (Options{}).argsFor(spec.WithDefaults()); err != nil {
			t.Errorf("%q: %v", native, err)
		}
	}
}

func TestCgroupV1(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args  []string
		tool  version
		added bool
	}{
		{nil, version{1, 38}, true},
		{nil, version{1, 37}, false}, // its own Kubernetes is 1.34
		{[]string{"--kubernetes-version=stable"}, version{1, 37}, false},
		{[]string{"--kubernetes-version=latest"}, version{1, 39}, true},
		{[]string{"--kubernetes-version=v1.34.9"}, version{1, 38}, false},
		{[]string{"--kubernetes-version=1.35.0"}, version{1, 37}, true},
		{[]string{"--kubernetes-version=v1.37.2", "--extra-config=kubelet.fail-cgroupv1=false"}, version{1, 38}, false},
	} {
		args, added := withCgroupV1(test.args, test.tool)
		if added != test.added || slices.Contains(args, allowCgroupV1) != (added || len(test.args) == 2) {
			t.Errorf("%q with %v: %t, %q", test.args, test.tool, added, args)
		}
	}
}

func TestTraits(t *testing.T) {
	t.Parallel()
	for driver, want := range map[string]providers.HostPorts{"": providers.HostPortsNode, "podman": providers.HostPortsNode, "kvm2": "", "none": ""} {
		if got := New(Options{}).Traits(providers.Spec{Driver: driver}); got.HostPorts != want || !got.RunsPods {
			t.Errorf("with the driver %q: %+v", driver, got)
		}
	}
	if got := New(Options{ExtraArgs: []string{"--driver=kvm2"}}).Traits(providers.Spec{}); got.HostPorts != "" {
		t.Errorf("with a driver of the user's: %+v", got)
	}
	own := New(Options{ExtraArgs: []string{"--addons=dashboard,metrics-server"}}).Traits(providers.Spec{Native: []byte("addons: [ingress]")})
	if plain := New(Options{}).Traits(providers.Spec{}); plain.Ingress || plain.MetricsServer || !own.Ingress || !own.MetricsServer {
		t.Errorf("with addons of minikube's: %+v; without: %+v", own, plain)
	}
	bare := New(Options{}).Traits(providers.Spec{Native: []byte("cni: \"false\"\nextra-config: [\"kubeadm.skip-phases=addon/kube-proxy,addon/coredns\"]")})
	if want := (providers.Without{CNI: true, KubeProxy: true, DNS: true}); bare.Without != want {
		t.Errorf("it is without %+v, want %+v", bare.Without, want)
	}
	if n := len(New(Options{}).Traits(providers.Spec{Wants: providers.Wants{ControlPlaneMetrics: true}}).ControlPlaneMetrics); n != 3 {
		t.Errorf("%d scrape targets", n)
	}
}
