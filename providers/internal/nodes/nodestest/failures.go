// Package nodestest checks the errors of adapters against the recorded output of tools and
// nodes whose creation failed.
package nodestest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/golden"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// Failures compares the error that comes of each recorded failure below testdata/failures with
// the file "want" of its directory: the message, the kinds of the error, and the hint. The
// other files are as lab found them: "nodes", a line a node with its name, state and exit
// code; "tool", which explain turns into the error of the tool, and which is missing where
// lab's time was over; and the logs that lab saved, trimmed.
func Failures(t *testing.T, update bool, tool nodes.Tool, explain func(said string) error) {
	t.Helper()
	cases, _ := filepath.Glob("testdata/failures/*")
	if len(cases) == 0 {
		t.Fatal("no failures are recorded")
	}
	for _, dir := range cases {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			failed := fmt.Errorf("waiting: %w", context.DeadlineExceeded)
			if said, err := os.ReadFile(filepath.Join(dir, "tool")); err == nil {
				failed = explain(string(said))
			}
			got := tool.Because(failed, dir, containers(t, dir))
			if detail := fault.DetailOf(got); !strings.Contains(detail, failed.Error()) && !errors.Is(got, failed) {
				t.Errorf("what the tool said is lost: %q", detail)
			}
			golden.Check(t, update, filepath.Join(dir, "want"), render(got))
		})
	}
}

// containers reads the nodes of a recorded failure.
func containers(t *testing.T, dir string) []docker.Container {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "nodes"))
	if err != nil {
		t.Fatal(err)
	}
	var all []docker.Container
	for line := range strings.Lines(string(text)) {
		var c docker.Container
		if _, err := fmt.Sscan(line, &c.Name, &c.State.Status, &c.State.ExitCode); err != nil {
			t.Fatalf("%s: %q: %v", dir, line, err)
		}
		c.State.StartedAt = time.Unix(1, 0)
		all = append(all, c)
	}
	return all
}

// render writes an error as the tests compare it.
func render(err error) string {
	var kinds []string
	for name, kind := range map[string]error{
		"Timeout": context.DeadlineExceeded, "Invalid": fault.ErrInvalid, "NotFound": fault.ErrNotFound,
		"Unavailable": fault.ErrUnavailable, "Unsupported": fault.ErrUnsupported, "Exists": fault.ErrExists,
	} {
		if errors.Is(err, kind) {
			kinds = append(kinds, name)
		}
	}
	return fmt.Sprintf("%v\nkinds: %v\nhint: %s\n", err, kinds, fault.HintOf(err))
}
