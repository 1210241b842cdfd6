package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/providers/fault"
)

func TestExplainNamesInterruptsAndTimeouts(t *testing.T) {
	t.Parallel()
	interrupted, cancel := context.WithCancel(t.Context())
	cancel()
	broken := errors.New("signal: interrupt")
	timeout := fmt.Errorf("waiting for nodes: %w", context.DeadlineExceeded)
	for what, tt := range map[string]struct {
		ctx  context.Context
		err  error
		code int
		hint string
	}{
		"done":                    {t.Context(), nil, 0, ""},
		"done at the last moment": {interrupted, nil, 0, ""},
		"failed":                  {t.Context(), broken, 1, ""},
		"broken by an interrupt":  {interrupted, broken, 130, ""},
		"with a hint":             {interrupted, fault.WithHint(fault.Errorf(fault.ErrUnavailable, "x"), "fix"), 130, "fix"},
		"says that it was":        {interrupted, fmt.Errorf("create: %w", context.Canceled), 130, ""},
		"timed out":               {t.Context(), timeout, 7, "increase the timeout: --timeout 20m"},
		"timed out with a hint":   {t.Context(), fault.WithHint(timeout, "look"), 7, "look"},
	} {
		err := explain(tt.ctx, tt.err)
		code, _ := ui.Classify(err)
		if code != tt.code || fault.HintOf(err) != tt.hint {
			t.Errorf("%s: %v is %d with the hint %q, want %d with %q", what, err, code, fault.HintOf(err), tt.code, tt.hint)
		}
		if tt.err != nil && !errors.Is(err, tt.err) {
			t.Errorf("%s: %v has lost %v", what, err, tt.err)
		}
	}
}

// TestErrorFormatOfInvalidCommandLine checks that errors are JSON if JSON was requested, also
// if other arguments are invalid, in any order.
func TestErrorFormatOfInvalidCommandLine(t *testing.T) {
	t.Parallel()
	nowhere := func() (Env, error) { return Env{}, fault.Errorf(fault.ErrInvalid, "no home") }
	for line, json := range map[string]bool{
		"list":                                   false,
		"list -o json":                           true,
		"list --output=json":                     true,
		"-ojson list":                            true,
		"list --bogus -o json":                   true,
		"list --bogus --progress json":           true,
		"up --timeout 1s --progress=json":        true,
		"list -o yaml":                           false,
		"list -o xml":                            false,
		"kubectl lab -- get pods -o json":        false,
		"kubectl lab --progress json -- get -oy": true,
	} {
		streams, _, stderr := ui.Test(0, nil)
		if code := Main(t.Context(), streams, nowhere, strings.Fields(line)); code != 2 {
			t.Errorf("%s: exit code %d, want 2", line, code)
		}
		got := stderr.String()
		if strings.HasPrefix(got, `{"apiVersion"`) != json || strings.Count(got, "\n") != 1 {
			t.Errorf("%s: JSON wanted: %v, got:\n%s", line, json, got)
		}
	}
}
