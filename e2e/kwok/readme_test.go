//go:build e2e && unix

package kwok

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/e2e/internal/console"
)

// TestReadme types what the README says, word for word, and compares what lab prints
// with what the README says that it prints, but for times and random names.
func TestReadme(t *testing.T) {
	t.Parallel()
	calls, err := console.Read(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if len(calls) < 5 {
		t.Errorf("the README has %d commands only", len(calls))
	}
	p := newUser(t)
	for _, call := range calls {
		args, ok := strings.CutPrefix(call.Line, "bin/lab ")
		if !ok {
			t.Fatalf("%q is no command that this test can run", call.Line)
		}
		got := p.Must(strings.Fields(args)...)
		if diff := cmp.Diff(console.Steady(call.Prints), console.Steady(got)); diff != "" {
			t.Errorf("%s (-README +lab):\n%s", call.Line, diff)
		}
	}
}
