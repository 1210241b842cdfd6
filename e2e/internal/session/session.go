// Package session runs lab in tests as a user does, and reads its results.
package session

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/providers"
)

// Session runs lab for one user. Its methods end the test at an unexpected failure.
type Session struct {
	T *testing.T

	// Command prepares a call of lab with the directories and the environment of the user.
	Command func(args ...string) *exec.Cmd
}

// Result is the outcome of a call of lab.
type Result struct {
	Stdout, Stderr string
	Code           int // the exit code; -1 if a signal ended lab
}

// Try runs lab, and returns the result, whatever the exit code is.
func (s Session) Try(args ...string) Result {
	s.T.Helper()
	cmd := s.Command(args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.T.Fatalf("lab %s: %v", strings.Join(args, " "), err)
	}
	return Result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// Must runs lab, and returns its stdout. It ends the test if lab fails.
func (s Session) Must(args ...string) string {
	s.T.Helper()
	got := s.Try(args...)
	if got.Code != 0 {
		s.T.Fatalf("lab %s: exit code %d\n%s%s", strings.Join(args, " "), got.Code, got.Stdout, got.Stderr)
	}
	return got.Stdout
}

// Cluster is an item of `lab list -o json`.
type Cluster struct {
	Name, Flavor, Reason, Context string
	State                         providers.State
}

// List returns the clusters that `lab list` shows, by name.
func (s Session) List() map[string]Cluster {
	s.T.Helper()
	var list struct{ Items []Cluster }
	if err := json.Unmarshal([]byte(s.Must("list", "-o", "json")), &list); err != nil {
		s.T.Fatal(err)
	}
	clusters := map[string]Cluster{}
	for _, c := range list.Items {
		clusters[c.Name] = c
	}
	return clusters
}

// Prefix begins the names of all clusters of the end-to-end tests.
const Prefix = "e2e-"

// RandomName returns the name of a cluster. Several test runs can share a machine. The random part starts with x,
// because minikube uses names that end in "-m2" for the second node of a cluster.
func RandomName() string { return Prefix + "x" + strings.ToLower(rand.Text()[:7]) }

// Eventually calls try until it returns nil, and ends the test with the last error after limit. The pause between
// two calls is as long as the call, and at least 50 ms, so that waiting leaves the processor to lab.
func Eventually(t *testing.T, limit time.Duration, try func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	for {
		began := time.Now()
		err := try(ctx)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("after %s: %v", limit, err)
		case <-time.After(max(time.Since(began), 50*time.Millisecond)):
		}
	}
}

// DefaultSignals resets ignored signals to their default in child processes. Background processes of a shell ignore
// SIGINT, those of nohup SIGHUP, and lab would ignore them, too.
func DefaultSignals() {
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGHUP} {
		if signal.Ignored(s) {
			signal.Notify(make(chan os.Signal, 1), s) // a handled signal has its default in child processes
		}
	}
}
