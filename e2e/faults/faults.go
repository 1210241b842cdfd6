//go:build e2e && unix

package faults

import (
	"bytes"
	"context"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// addon is the addon that the tests install and remove.
const addon = "hello"

// patience is how long a command may run after a fault. Each command has its own, lower limit.
const patience = 5 * time.Minute

// held is how long an engine is unavailable and a node is paused, unless the command ends before.
const held = 8 * time.Second

// tries is how often a round is repeated because its command ended before the fault.
const tries = 4

// Harness is what a flavor provides for the tests.
type Harness struct {
	// Rounds is the number of rounds without RoundsVariable.
	Rounds int

	// Flavor contains the flags of `lab up` for the flavor.
	Flavor []string

	// Lab prepares a call of lab.
	Lab func(ctx context.Context, args ...string) *exec.Cmd

	// Name returns a new name of a cluster.
	Name func() string

	// Kubeconfig is the path of the user's kubeconfig, which also has the entry of Foreign.
	Kubeconfig string

	// Foreign is the context of a cluster of the same tool that this lab does not manage.
	Foreign string

	// Outside returns the state of that cluster outside Kubernetes: containers, files and so on.
	Outside func(t *testing.T) string

	// Outage makes the engine unavailable, and returns a function that makes it available again; nil if there is no
	// engine to stop yet.
	Outage func(t *testing.T, cluster string) (end func())

	// Pause freezes a node, and returns a function that resumes it; nil if there is no node yet.
	Pause func(t *testing.T, cluster string) (end func())

	// Nothing fails the test if anything of a cluster is left.
	Nothing func(t *testing.T, cluster string)
}

// run executes the rounds of one flavor.
type run struct {
	Harness
	t       *testing.T
	usual   map[bool]map[operation]time.Duration // the duration of each operation, by cluster.shared
	file    string                               // the kubeconfig before lab creates a cluster
	entry   string                               // its entry of the foreign cluster
	outside string
	inside  objects
	late    []round // rounds whose command ended before the fault
}

// Run executes the rounds.
func Run(t *testing.T, h Harness) {
	r := &run{Harness: h, t: t, usual: map[bool]map[operation]time.Duration{true: {}, false: {}}}
	from, to := chosen(t, h.Rounds)
	kubeconfig := r.kubeconfig(h.Foreign)
	putReleases(t, kubeconfig, foreign)
	settled(t, kubeconfig, 1)
	r.file, r.entry, r.outside = r.read(), r.foreignEntry(), h.Outside(t)
	r.inside = r.foreignObjects()
	var rounds []round
	for n := from; n < to; n++ {
		rounds = append(rounds, plan(n))
	}
	for _, shared := range []bool{true, false} { // without faults, to measure the durations
		if slices.ContainsFunc(rounds, func(r round) bool { return r.shared() == shared }) {
			r.live(shared, nil)
		}
	}
	missed := 0
	for len(rounds) > 0 && !t.Failed() {
		var taken map[operation]round
		taken, rounds = next(rounds)
		for _, first := range taken {
			r.live(first.shared(), taken)
			break
		}
		for _, round := range r.late {
			if round.tries++; round.tries < tries {
				rounds = append(rounds, round)
			} else {
				missed++
			}
		}
		r.late = nil
	}
	t.Logf("rounds %d-%d, %d of them without a fault because the command was always faster; durations %v", from+1, to, missed, r.usual)
}

// gone checks that nothing is left of a cluster, and that the kubeconfig is unchanged, byte for byte.
func (r *run) gone(name string) {
	r.t.Helper()
	r.Nothing(r.t, name)
	if diff := cmp.Diff(r.file, r.read()); diff != "" {
		r.t.Errorf("the kubeconfig has changed (-before +after):\n%s", diff)
	}
	r.foreignIsSame("down")
}

// foreignIsSame checks that the foreign cluster is unchanged.
func (r *run) foreignIsSame(when string) {
	r.t.Helper()
	if diff := cmp.Diff(r.outside, r.Outside(r.t)); diff != "" {
		r.t.Errorf("%s: the foreign cluster has changed (-before +after):\n%s", when, diff)
	}
	if diff := cmp.Diff(r.entry, r.foreignEntry()); diff != "" {
		r.t.Errorf("%s: the entry of the foreign cluster has changed (-before +after):\n%s", when, diff)
	}
	if diff := r.foreignObjects().changes(r.inside); diff != "" {
		r.t.Errorf("%s: the objects of the foreign cluster have changed (-before +after):\n%s", when, diff)
	}
}

func (r *run) foreignObjects() objects {
	r.t.Helper()
	return concerned(r.t, r.kubeconfig(r.Foreign))
}

// must runs lab, and returns its stdout. It ends the test if the exit code is not one of codes.
func (r *run) must(codes []int, args ...string) string {
	r.t.Helper()
	var out, said bytes.Buffer
	cmd := r.command(r.t.Context(), args, &said)
	cmd.Stdout = &out
	_ = cmd.Run()
	if code := cmd.ProcessState.ExitCode(); !slices.Contains(codes, code) {
		r.t.Fatalf("lab %s: exit code %d\n%s", strings.Join(args, " "), code, said.String())
	}
	return out.String()
}

// command prepares a call of lab in a separate process group, as a shell does.
func (r *run) command(ctx context.Context, args []string, said *bytes.Buffer) *exec.Cmd {
	cmd := r.Lab(ctx, slices.Concat(args, []string{"--progress", "json"})...)
	cmd.Stderr = said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// groupEnds waits until all processes that a command started have ended, because they may still create objects.
func (r *run) groupEnds(pgid int) {
	r.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); syscall.Kill(-pgid, 0) == nil; <-tick.C {
		if time.Now().After(deadline) {
			r.t.Error("the processes that lab started do not end")
			return
		}
	}
}
