//go:build e2e && unix

package kwok

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/e2e/internal/session"
)

// watchedChanges is how many changes TestWatchReacts measures.
const watchedChanges = 25

// watching is a `lab exercise watch` that runs.
type watching struct {
	cmd  *exec.Cmd
	mu   sync.Mutex
	at   map[string]time.Time // when each line was printed first
	done chan struct{}        // closed at the end of the output
}

// watch starts `lab exercise watch`.
func (p *user) watch(args ...string) *watching {
	p.T.Helper()
	w := &watching{cmd: p.command(append([]string{"exercise", "watch"}, args...)...), at: map[string]time.Time{}, done: make(chan struct{})}
	reader, writer := io.Pipe()
	w.cmd.Stdout, w.cmd.Stderr = writer, writer
	if err := w.cmd.Start(); err != nil {
		p.T.Fatal(err)
	}
	go func() {
		_ = w.cmd.Wait()
		_ = writer.Close()
	}()
	go func() {
		defer close(w.done)
		for lines := bufio.NewScanner(reader); lines.Scan(); {
			w.mu.Lock()
			if text := strings.TrimSpace(lines.Text()); w.at[text].IsZero() {
				w.at[text] = time.Now()
			}
			w.mu.Unlock()
		}
	}()
	return w
}

// sees waits for a line that contains words, and returns when it was printed.
func (w *watching) sees(t *testing.T, words string) (at time.Time) {
	t.Helper()
	session.Eventually(t, 2*time.Minute, func(context.Context) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		for line, printed := range w.at {
			if strings.Contains(line, words) {
				at = printed
				return nil
			}
		}
		return fmt.Errorf("watch does not print %q", words)
	})
	return at
}

// TestWatchReacts measures the time from the end of the kubectl command that changes an object to the line of two watches,
// and the time from the start of an exercise to its first check. -v prints the figures.
func TestWatchReacts(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	name := p.up()
	began := time.Now()
	p.Must("exercise", "start", "service", "--name", name)
	p.Try("exercise", "check", "--settle", "0s")
	t.Logf("from lab exercise start to the result of the first check: %.2f s", time.Since(began).Seconds())
	watches := []*watching{p.watch(), p.watch()}
	for _, w := range watches {
		w.sees(t, "found: app=wbe")
	}
	var times []time.Duration
	for i := range watchedChanges {
		p.Must("kubectl", name, "--", "set", "selector", "service", "web", fmt.Sprintf("app=x%dx", i), "--namespace", "service")
		changed := time.Now()
		for _, w := range watches {
			times = append(times, max(w.sees(t, fmt.Sprintf("found: app=x%dx", i)).Sub(changed), 0))
		}
	}
	slices.Sort(times)
	t.Logf("%d changes, two watches: median %d ms, 95 %% within %d ms, slowest %d ms", watchedChanges,
		times[len(times)/2].Milliseconds(), times[len(times)*95/100].Milliseconds(), times[len(times)-1].Milliseconds())

	// Both continue when the cluster is back, and pass only after a while.
	p.Must("stop", name)
	for _, w := range watches {
		w.sees(t, "is stopped")
	}
	p.Must("start", name)
	p.Must("kubectl", name, "--", "set", "selector", "service", "web", "app=web", "--namespace", "service")
	for _, w := range watches {
		holding := w.sees(t, "If it stays so for three seconds")
		if done := w.sees(t, "Half done").Sub(holding); done < 2*time.Second {
			t.Errorf("it passed after %s, want three seconds", done)
		}
		<-w.done
		if code := w.cmd.ProcessState.ExitCode(); code != 0 {
			t.Errorf("exit code %d", code)
		}
	}
	p.watchUntilDeleted(name)
	p.forget()
}

// watchUntilDeleted checks that a watch reports a namespace that is gone, and ends when the cluster is deleted.
func (p *user) watchUntilDeleted(name string) {
	p.T.Helper()
	p.Must("exercise", "start", "tour", "--name", name)
	w := p.watch()
	w.sees(p.T, "Check: lab exercise check")
	p.Must("exercise", "reset", "tour", "--remove")
	w.sees(p.T, "a namespace of exercise tour does not exist")
	p.Must("down", name)
	w.sees(p.T, "was deleted while exercise tour was watched")
	<-w.done
	if code := w.cmd.ProcessState.ExitCode(); code != 3 {
		p.T.Errorf("exit code %d after the deletion of the cluster, want 3", code)
	}
}
