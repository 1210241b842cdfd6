// Package watch runs `lab exercise watch` in tests, and measures how fast it reacts.
package watch

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

const (
	// changes is how many changes React measures.
	changes = 25

	// firstCheck and reaction limit the time until the first check has a result, and the median reaction. They are generous,
	// because tests run on busy machines. A watch that asks every few seconds is slower.
	firstCheck = time.Minute
	reaction   = 2 * time.Second
)

// Watch is a `lab exercise watch` that runs.
type Watch struct {
	cmd  *exec.Cmd
	mu   sync.Mutex
	at   map[string]time.Time // when each line was printed first
	done chan struct{}        // closed at the end of the output
}

// Start starts `lab exercise watch`.
func Start(s session.Session, args ...string) *Watch {
	s.T.Helper()
	w := &Watch{cmd: s.Command(append([]string{"exercise", "watch"}, args...)...), at: map[string]time.Time{}, done: make(chan struct{})}
	reader, writer := io.Pipe()
	w.cmd.Stdout, w.cmd.Stderr = writer, writer
	if err := w.cmd.Start(); err != nil {
		s.T.Fatal(err)
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

// Sees waits for a line that contains words, and returns when it was printed.
func (w *Watch) Sees(t *testing.T, words string) (at time.Time) {
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

// Ends waits for the end, and checks the exit code.
func (w *Watch) Ends(t *testing.T, code int) {
	t.Helper()
	<-w.done
	if got := w.cmd.ProcessState.ExitCode(); got != code {
		t.Errorf("watch: exit code %d, want %d", got, code)
	}
}

// React starts the exercise `service` on a cluster, and two watches. It measures the time from the start of the exercise to
// its first check, and the time from the end of the kubectl command that changes an object to the line of each watch. The
// log of the test has the figures.
func React(s session.Session, cluster string) []*Watch {
	s.T.Helper()
	began := time.Now()
	s.Must("exercise", "start", "service", "--name", cluster)
	got := s.Try("exercise", "check", "--settle", "0s")
	first := time.Since(began)
	if got.Code != 1 || !strings.Contains(got.Stdout, "found: app=wbe") || first > firstCheck {
		s.T.Errorf("the first check ends after %s with exit code %d\n%s%s", first, got.Code, got.Stdout, got.Stderr)
	}
	s.T.Logf("from lab exercise start to the result of the first check: %.2f s", first.Seconds())
	watches := []*Watch{Start(s), Start(s)}
	for _, w := range watches {
		w.Sees(s.T, "found: app=wbe")
	}
	var times []time.Duration
	for i := range changes {
		s.Must("kubectl", cluster, "--", "set", "selector", "service", "web", fmt.Sprintf("app=x%dx", i), "--namespace", "service")
		changed := time.Now()
		for _, w := range watches {
			times = append(times, max(w.Sees(s.T, fmt.Sprintf("found: app=x%dx", i)).Sub(changed), 0))
		}
	}
	slices.Sort(times)
	median := times[len(times)/2]
	s.T.Logf("%d changes, two watches: median %d ms, 95 %% within %d ms, slowest %d ms", changes,
		median.Milliseconds(), times[len(times)*95/100].Milliseconds(), times[len(times)-1].Milliseconds())
	if median > reaction {
		s.T.Errorf("the median reaction is %s, want at most %s", median, reaction)
	}
	return watches
}
