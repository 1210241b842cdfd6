package providers_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"testing"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

func TestErrorText(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]*providers.Error{
		`kind: create cluster "lab": EOF`: {Op: "create", Provider: "kind", Cluster: "lab", Err: io.EOF},
		`kind: list: EOF`:                 {Op: "list", Provider: "kind", Err: io.EOF},
		`find cluster "lab": EOF`:         {Op: "find", Cluster: "lab", Err: io.EOF},
	} {
		if err.Error() != want {
			t.Errorf("%q, want %q", err, want)
		}
		if !errors.Is(err, io.EOF) {
			t.Errorf("%q does not wrap its cause", err)
		}
	}
}

// TestThroughLayers checks that the kind, the cause and the hint of an error are found through
// all wrappers.
func TestThroughLayers(t *testing.T) {
	t.Parallel()
	err := fault.WithHint(fault.Errorf(fault.ErrUnavailable, "open the socket: %w", fs.ErrPermission), "join the group")
	err = &providers.Error{Op: "create", Provider: "kind", Cluster: "lab", Err: err}
	err = errors.Join(errors.New("another"), fmt.Errorf("up: %w", err))
	for _, target := range []error{fault.ErrUnavailable, fs.ErrPermission} {
		if !errors.Is(err, target) {
			t.Errorf("%v is not %v", err, target)
		}
	}
	if errors.Is(err, fault.ErrInvalid) || errors.Is(err, fault.ErrNotFound) {
		t.Errorf("%v is of other kinds, too", err)
	}
	var e *providers.Error
	if !errors.As(err, &e) || e.Cluster != "lab" {
		t.Errorf("the Error was not found: %v", e)
	}
	if hint := fault.HintOf(err); hint != "join the group" {
		t.Errorf("the hint is %q", hint)
	}
	if want := "another\nup: kind: create cluster \"lab\": open the socket: permission denied"; err.Error() != want {
		t.Errorf("the message is %q, want %q", err, want)
	}
}
