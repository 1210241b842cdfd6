package ui

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/providers/event"
)

// advance advances the time of the bubble, and waits until all goroutines are blocked.
func advance(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// reportAll reports events of all kinds. It calls seen with a description of what should be on
// the screen at that time.
func reportAll(p *Progress, seen func(what string)) {
	report := event.Reporter(p.Report).For("lab")

	image := report.Start("Preparing the node image")
	seen("one step")
	advance(400 * time.Millisecond)
	image.End(nil)
	seen("a step that took no time")

	plane := report.Start("Starting the control plane")
	advance(2 * time.Second)
	plane.Progress("pulling layers, 45 %\rpulling layers, 46 %")
	advance(100 * time.Millisecond)
	seen("progress")
	p.Warn("the image %q has no digest,\nso it may change", "node:v1.37.2")
	seen("a warning above the live step")
	advance(5 * time.Second)
	plane.Progress("waiting for the API to answer, which takes about a minute on most machines")
	advance(200 * time.Millisecond)
	seen("long progress")
	plane.End(nil)

	manager := report.Start("Installing cert-manager")
	ingress := report.Start("Installing ingress-nginx")
	advance(time.Second)
	manager.Progress("1 of 3 deployments ready")
	ingress.Progress("\x1b[31mpulling\x1b[0m")
	advance(10 * time.Second)
	seen("two steps side by side")
	manager.End(nil)
	seen("one of them done")
	ingress.End(errors.New("rollout stuck: 0 of 1 pods are ready\npod ingress-nginx-0: ImagePullBackOff"))

	_ = event.Reporter(p.Report).For("shop").Do("Deleting the cluster", func(*event.Step) error {
		advance(60 * time.Second)
		return nil
	})
	report.Start("Waiting for DNS").Progress("no answer yet")
	advance(12 * time.Second)
	seen("a step that does not end")
	p.Close()
	seen("after Close")
	p.Warn("said after Close")
	p.Report(event.Event{Step: "reported after Close", State: event.Started})
	p.Close()
	seen("at the end")
}

func TestTTYFrames(t *testing.T) {
	for _, test := range []struct {
		name  string
		width int
		env   map[string]string
	}{
		{"tty-80", 80, utf8()},
		{"tty-40", 40, utf8()},
		{"tty-10", 10, utf8()},
		{"tty-ascii", 80, map[string]string{"LANG": "C"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				terminal := &screen{width: test.width, height: 24}
				var seen strings.Builder
				began := time.Now()
				reportAll(newTestProgress(terminal, terminal.size, test.env, ModeAuto), func(what string) {
					fmt.Fprintf(&seen, "--- %v: %s\n%s", time.Since(began), what, terminal)
				})
				golden(t, test.name+".golden", seen.String())
			})
		})
	}
}

func TestLogFormats(t *testing.T) {
	for _, test := range []struct {
		mode Mode
		env  map[string]string
	}{
		{ModeAuto, utf8()},
		{ModePlain, utf8("CLICOLOR_FORCE", "1")},
		{ModeJSON, utf8()},
		{ModeQuiet, utf8()},
	} {
		t.Run(string(test.mode), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var out strings.Builder
				reportAll(newTestProgress(&out, nil, test.env, test.mode), func(string) {})
				golden(t, "progress-"+string(test.mode)+".golden", out.String())
			})
		})
	}
}

func newTestProgress(w io.Writer, size func() (int, int), env map[string]string, mode Mode) *Progress {
	stream := newStream(w, size, lookupIn(env))
	return NewProgress(&Streams{Err: stream}, mode, ProgressOptions{Cluster: "lab"})
}

// TestJSONEvent checks the names and the order of fields, and the format of the time. Scripts
// rely on them.
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
	progress.Note("for users")
	event.Reporter(progress.Report).Warn("%s", "a warning")
	progress.Close()
	want := `{"time":"2030-05-05T23:02:03.004Z","cluster":"lab","step":"Starting <node>","state":"failed",` +
		`"message":"two\nlines","elapsedMs":1234}` + "\n" +
		`{"apiVersion":"lab/v1alpha1","kind":"Note","message":"for users"}` + "\n" +
		`{"apiVersion":"lab/v1alpha1","kind":"Warning","message":"a warning"}` + "\n"
	if diff := cmp.Diff(want, stderr.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
