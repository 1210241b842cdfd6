package ui

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/providers/event"
)

// The names of the fields, their order and the form of the time are promised to
// programs.
func TestJSONEvent(t *testing.T) {
	t.Parallel()
	streams, _, stderr := Test(0, nil)
	progress := NewProgress(streams, ModeJSON, ProgressOptions{Cluster: "lab"})
	progress.Report(event.Event{
		Time:    time.Date(2030, 5, 6, 1, 2, 3, 4_560_000, time.FixedZone("east", 2*60*60)),
		Cluster: "lab",
		Step:    "Starting <node>",
		State:   event.Failed,
		Message: "two\nlines",
		Elapsed: 1234567 * time.Microsecond,
	})
	progress.Note("for people")
	event.Reporter(progress.Report).Warn("it %s", "stays")
	progress.Close()
	want := `{"time":"2030-05-05T23:02:03.004Z","cluster":"lab","step":"Starting <node>","state":"failed",` +
		`"message":"two\nlines","elapsedMs":1234}` + "\n" +
		`{"apiVersion":"lab/v1alpha1","kind":"Note","message":"for people"}` + "\n" +
		`{"apiVersion":"lab/v1alpha1","kind":"Warning","message":"it stays"}` + "\n"
	if diff := cmp.Diff(want, stderr.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
