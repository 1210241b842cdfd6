package providers_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		spec providers.Spec
		want []string // the lines of the error; none for a valid spec
	}{
		"the least": {providers.Spec{Name: "lab"}, nil},
		"everything": {providers.Spec{
			Name: "lab", KubernetesVersion: "v1.37.2-rc.1", ControlPlanes: 3, Workers: 5000,
			Ports: []providers.Port{
				{Host: 80, Container: 80}, {Host: 80, Container: 80, Protocol: "udp"},
				{Address: "::1", Host: 80, Container: 81}, {Address: "0.0.0.0", Host: 65535, Container: 1},
			},
			Mounts: []providers.Mount{{Host: "src", Node: "/src"}},
		}, nil},
		"a bad name alone": {providers.Spec{Name: "LAB", Workers: -1}, []string{
			`invalid cluster name "LAB": must contain only lower-case letters, digits and '-', but contains 'L'`,
		}},
		"all problems, in order": {providers.Spec{
			Name: "lab", KubernetesVersion: "abc", ControlPlanes: -1, Workers: 5001,
			Ports: []providers.Port{
				{Host: 0, Container: 80}, {Host: 80, Container: 65536}, {Host: 80, Container: 80, Protocol: "icmp"},
				{Address: "localhost", Host: 81, Container: 80}, {Host: 82, Container: 80}, {Address: "127.0.0.1", Host: 82, Container: 81},
			},
			Mounts: []providers.Mount{{Host: "", Node: "/x"}, {Host: "/x", Node: "x"}},
		}, []string{
			`-1 control planes: must be between 0 and 5000`,
			`5001 workers: must be between 0 and 5000`,
			`kubernetes version "abc": must look like v1.37.2, v1.37 or latest`,
			`port 0:80: must be between 1 and 65535`,
			`port 80:65536: must be between 1 and 65535`,
			`port 80:80/icmp: the protocol must be tcp, udp or sctp`,
			`port localhost:81:80: "localhost" is not an IP address of this machine`,
			`port 127.0.0.1:82:81: host port 82 is published twice`,
			`mount "" to "/x": must be a host directory and an absolute path in the node`,
			`mount "/x" to "x": must be a host directory and an absolute path in the node`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := test.spec.Validate()
			var got []string
			if err != nil {
				got = strings.Split(err.Error(), "\n")
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if err != nil && !errors.Is(err, fault.ErrInvalid) {
				t.Errorf("%v is not ErrInvalid", err)
			}
		})
	}
}

func TestWithDefaults(t *testing.T) {
	t.Parallel()
	got := providers.Spec{Name: "lab", KubernetesVersion: "1.37.2"}.WithDefaults()
	want := providers.Spec{Name: "lab", KubernetesVersion: "v1.37.2", ControlPlanes: 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, want.WithDefaults()); diff != "" {
		t.Errorf("a second time (-want +got):\n%s", diff)
	}
	if got := (providers.Spec{KubernetesVersion: "abc"}).WithDefaults().KubernetesVersion; got != "abc" {
		t.Errorf("what is not a version became %q", got)
	}
}

func TestPortString(t *testing.T) {
	t.Parallel()
	for want, port := range map[string]providers.Port{
		"8080:80":         {Host: 8080, Container: 80},
		"53:53/udp":       {Host: 53, Container: 53, Protocol: "udp"},
		"0.0.0.0:8080:80": {Address: "0.0.0.0", Host: 8080, Container: 80, Protocol: "tcp"},
		"[::1]:1:2/sctp":  {Address: "::1", Host: 1, Container: 2, Protocol: "sctp"},
	} {
		if got := port.String(); got != want {
			t.Errorf("%+v: %s, want %s", port, got, want)
		}
	}
}
