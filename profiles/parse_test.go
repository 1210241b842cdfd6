package profiles

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

func TestParsePort(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]providers.Port{
		"8080:80":             {Host: 8080, Container: 80},
		"53:53/udp":           {Host: 53, Container: 53, Protocol: "udp"},
		"0.0.0.0:8080:80":     {Address: "0.0.0.0", Host: 8080, Container: 80},
		"127.0.0.1:1:2/tcp":   {Address: "127.0.0.1", Host: 1, Container: 2, Protocol: "tcp"},
		"[::1]:8080:80":       {Address: "::1", Host: 8080, Container: 80},
		"[fe80::1]:80:81/udp": {Address: "fe80::1", Host: 80, Container: 81, Protocol: "udp"},
		// What no cluster can have is for Spec.Validate to name.
		"0:70000":         {Host: 0, Container: 70000},
		"80:80/icmp":      {Host: 80, Container: 80, Protocol: "icmp"},
		"localhost:80:80": {Address: "localhost", Host: 80, Container: 80},
	} {
		got, err := ParsePort(s)
		if err != nil {
			t.Errorf("%s: %v", s, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", s, diff)
		}
		if again, err := ParsePort(got.String()); err != nil || again.String() != got.String() {
			t.Errorf("%s is written as %s, and read as %s, %v", s, got, again, err)
		}
	}
	for _, s := range []string{"", "80", ":80", "80:", ":", "a:b", "80:http", "8080:80:", "1.5:80", "80:80:80:", "/udp", "80/udp", "0x50:80", "99999999999999999999:80"} {
		got, err := ParsePort(s)
		if !errors.Is(err, fault.ErrInvalid) || fault.HintOf(err) == "" {
			t.Errorf("%q: %+v, %v; want ErrInvalid with a hint", s, got, err)
		}
	}
}

func TestParseMount(t *testing.T) {
	t.Parallel()
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for s, want := range map[string]providers.Mount{
		".:/src":           {Host: here, Node: "/src"},
		"./testdata:/data": {Host: filepath.Join(here, "testdata"), Node: "/data"},
		".:/src:ro":        {Host: here, Node: "/src", ReadOnly: true},
		"a:b:/c":           {Host: filepath.Join(here, "a:b"), Node: "/c"},
		// A relative path in the node is for Spec.Validate to name.
		".:src": {Host: here, Node: "src"},
	} {
		got, err := ParseMount(s, "")
		if err != nil {
			t.Errorf("%s: %v", s, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", s, diff)
		}
	}
	for _, s := range []string{"", "/src", ":/src", "/src:", ":", "/src:ro", ":ro"} {
		got, err := ParseMount(s, "")
		if !errors.Is(err, fault.ErrInvalid) || fault.HintOf(err) == "" {
			t.Errorf("%q: %+v, %v; want ErrInvalid with a hint", s, got, err)
		}
	}
}
