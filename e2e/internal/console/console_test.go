package console

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	t.Parallel()
	text := "Type:\n\n```console\n$ cd here\n$ lab list\nNAME\nlab\n```\n\n```sh\n$ not this\n```\n\n```console\n$ lab run -- sh -c '\nls\n'\na\n$ lab down\n```\n"
	want := []Call{{Line: "cd here"}, {Line: "lab list", Prints: "NAME\nlab"}, {Line: "lab run -- sh -c '\nls\n'", Prints: "a"}, {Line: "lab down"}}
	if diff := cmp.Diff(want, Parse(text)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSteady(t *testing.T) {
	t.Parallel()
	const shown, printed = "web-5fc9f4bf66-qcbz7  Running  0s  2.1 MB\n", "Waiting for 1 of 2\nweb-6d4b75cb6d-hznbx   Running   12s  940 kB"
	if a, b := Steady(shown), Steady(printed); a != b {
		t.Errorf("%q and %q differ", a, b)
	}
	if a, b := Steady(shown), Steady("web-5fc9f4bf66-qcbz7  Pending  0s  2.1 MB"); a == b {
		t.Errorf("%q is the same for different output", a)
	}
}
