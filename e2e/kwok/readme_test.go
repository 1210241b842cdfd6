//go:build e2e && unix

package kwok

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/e2e/internal/console"
)

// TestReadme runs the commands of the README, and compares their output with the README, except for times and random
// names.
func TestReadme(t *testing.T) {
	t.Parallel()
	calls, err := console.Read(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if len(calls) < 5 {
		t.Errorf("the README has only %d commands", len(calls))
	}
	p := newUser(t)
	for _, call := range calls {
		args, ok := strings.CutPrefix(call.Line, "bin/lab ")
		if !ok {
			t.Fatalf("%q is not a command that this test can run", call.Line)
		}
		got := p.Must(strings.Fields(args)...)
		if diff := cmp.Diff(console.Steady(call.Prints), console.Steady(got)); diff != "" {
			t.Errorf("%s (-README +lab):\n%s", call.Line, diff)
		}
	}
}
