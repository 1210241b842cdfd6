package providers_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"testing"

	"github.com/clusterlab-dev/lab/providers"
)

func TestErrorf(t *testing.T) {
	t.Parallel()
	err := providers.Errorf(providers.ErrExists, "the name is taken: %w", io.EOF)
	if err.Error() != "the name is taken: EOF" {
		t.Errorf("the message is %q", err)
	}
	if !errors.Is(err, providers.ErrExists) || !errors.Is(err, io.EOF) || errors.Is(err, providers.ErrInvalid) {
		t.Errorf("%v is not of its kind, or of another", err)
	}
}

func TestHints(t *testing.T) {
	t.Parallel()
	inner := providers.WithHint(io.EOF, "try %s", "again")
	outer := providers.WithHint(fmt.Errorf("reading: %w", inner), "go home")
	for _, test := range []struct {
		err                 error
		wantText, wantHints string
	}{
		{inner, "EOF", "try again"},
		{fmt.Errorf("reading: %w", inner), "reading: EOF", "try again"},
		{outer, "reading: EOF", "go home"},
		{errors.Join(io.EOF, inner), "EOF\nEOF", "try again"},
		{io.EOF, "EOF", ""},
	} {
		if test.err.Error() != test.wantText || providers.HintOf(test.err) != test.wantHints {
			t.Errorf("%q with the hint %q, want %q and %q", test.err, providers.HintOf(test.err), test.wantText, test.wantHints)
		}
	}
	if providers.WithHint(nil, "x") != nil || providers.HintOf(nil) != "" {
		t.Error("nothing became an error")
	}
}

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

// TestThroughLayers: whatever is wrapped around an error, its kind, its cause and its
// hint can be found.
func TestThroughLayers(t *testing.T) {
	t.Parallel()
	err := providers.WithHint(providers.Errorf(providers.ErrUnavailable, "open the socket: %w", fs.ErrPermission), "join the group")
	err = &providers.Error{Op: "create", Provider: "kind", Cluster: "lab", Err: err}
	err = errors.Join(errors.New("another"), fmt.Errorf("up: %w", err))
	for _, target := range []error{providers.ErrUnavailable, fs.ErrPermission} {
		if !errors.Is(err, target) {
			t.Errorf("%v is not %v", err, target)
		}
	}
	if errors.Is(err, providers.ErrInvalid) || errors.Is(err, providers.ErrNotFound) {
		t.Errorf("%v is of other kinds, too", err)
	}
	var e *providers.Error
	if !errors.As(err, &e) || e.Cluster != "lab" {
		t.Errorf("the Error was not found: %v", e)
	}
	if hint := providers.HintOf(err); hint != "join the group" {
		t.Errorf("the hint is %q", hint)
	}
	if want := "another\nup: kind: create cluster \"lab\": open the socket: permission denied"; err.Error() != want {
		t.Errorf("the message is %q, want %q", err, want)
	}
}
