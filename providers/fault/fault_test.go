package fault_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/clusterlab-dev/lab/providers/fault"
)

func TestErrorf(t *testing.T) {
	t.Parallel()
	err := fault.Errorf(fault.ErrExists, "the name is taken: %w", io.EOF)
	if err.Error() != "the name is taken: EOF" {
		t.Errorf("the message is %q", err)
	}
	if !errors.Is(err, fault.ErrExists) || !errors.Is(err, io.EOF) || errors.Is(err, fault.ErrInvalid) {
		t.Errorf("%v is not of its kind, or of another", err)
	}
}

func TestHints(t *testing.T) {
	t.Parallel()
	inner := fault.WithHint(io.EOF, "try %s", "again")
	outer := fault.WithHint(fmt.Errorf("reading: %w", inner), "go home")
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
		if test.err.Error() != test.wantText || fault.HintOf(test.err) != test.wantHints {
			t.Errorf("%q with the hint %q, want %q and %q", test.err, fault.HintOf(test.err), test.wantText, test.wantHints)
		}
	}
	if fault.WithHint(nil, "x") != nil || fault.HintOf(nil) != "" {
		t.Error("nothing became an error")
	}
}
