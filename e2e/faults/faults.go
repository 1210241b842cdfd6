//go:build e2e && unix

package faults

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// addon is the one that is installed and removed.
const addon = "hello"

// patience is how long a command may go on after it was disturbed. Each has a limit of its own that is lower.
const patience = 5 * time.Minute

// held is how long an engine is gone and a node is paused, where the command does not end before.
const held = 8 * time.Second

// tries is how often a round is done whose command was quicker than expected.
const tries = 4

// Harness is what a flavor has for the rounds.
type Harness struct {
	// Rounds is how many there are without RoundsVariable.
	Rounds int

	// Flavor are the flags with which `lab up` makes a cluster.
	Flavor []string

	// Lab prepares a call of lab.
	Lab func(ctx context.Context, args ...string) *exec.Cmd

	// Name returns one for a cluster.
	Name func() string

	// Kubeconfig is the path of the file into which lab merges, and in which Foreign has its entry.
	Kubeconfig string

	// Foreign is the context of a cluster of the same tool that lab did not make, or not this one.
	Foreign string

	// Outside returns what there is of that cluster beside what it holds: containers, files, whatever it has.
	Outside func(t *testing.T) string

	// Outage takes away what makes or is the cluster, and returns what gives it back; nil where there is nothing to take.
	Outage func(t *testing.T, cluster string) (end func())

	// Pause freezes a node, and returns what lets it go on; nil where there is none.
	Pause func(t *testing.T, cluster string) (end func())

	// Nothing fails the test where anything of a cluster is left.
	Nothing func(t *testing.T, cluster string)
}

// run is the rounds of one flavor.
type run struct {
	Harness
	t       *testing.T
	usual   map[bool]map[operation]time.Duration // by whether the addon's namespace is shared
	file    string                               // the kubeconfig before there is a cluster of lab's
	entry   string                               // what it says of the foreign cluster
	outside string
	inside  objects
	late    []round // those whose command was done before the fault
}

// Run goes through the rounds.
func Run(t *testing.T, h Harness) {
	r := &run{Harness: h, t: t, usual: map[bool]map[operation]time.Duration{true: {}, false: {}}}
	from, to := chosen(t, h.Rounds)
	if signal.Ignored(syscall.SIGINT) { // as in the background of a shell; lab would leave it so
		handled := make(chan os.Signal, 1) // what this process handles, its children get with the default again
		signal.Notify(handled, syscall.SIGINT)
		t.Cleanup(func() { signal.Stop(handled) })
	}
	kubeconfig := r.kubeconfig(h.Foreign)
	putReleases(t, kubeconfig, foreign)
	settled(t, kubeconfig, 1)
	r.file, r.entry, r.outside = r.read(), r.foreignEntry(), h.Outside(t)
	r.inside = r.foreignObjects()
	var rounds []round
	for n := from; n < to; n++ {
		rounds = append(rounds, plan(n))
	}
	for _, shared := range []bool{true, false} { // without faults, to see how long things take
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
	t.Logf("rounds %d-%d, %d of them without a fault as the command was always quicker, usually %v", from+1, to, missed, r.usual)
}

// gone checks that nothing is left of a cluster, and that the kubeconfig is what it was, to the byte.
func (r *run) gone(name string) {
	r.t.Helper()
	r.Nothing(r.t, name)
	if diff := cmp.Diff(r.file, r.read()); diff != "" {
		r.t.Errorf("the kubeconfig has changed (-before +after):\n%s", diff)
	}
	r.foreignIsSame("down")
}

// foreignIsSame checks that the foreign cluster is what it was.
func (r *run) foreignIsSame(when string) {
	r.t.Helper()
	if diff := cmp.Diff(r.outside, r.Outside(r.t)); diff != "" {
		r.t.Errorf("%s: the foreign cluster has changed (-before +after):\n%s", when, diff)
	}
	if diff := cmp.Diff(r.entry, r.foreignEntry()); diff != "" {
		r.t.Errorf("%s: the entry of the foreign cluster has changed (-before +after):\n%s", when, diff)
	}
	if diff := r.foreignObjects().changes(r.inside); diff != "" {
		r.t.Errorf("%s: the foreign cluster holds something else (-before +after):\n%s", when, diff)
	}
}

func (r *run) foreignObjects() objects {
	r.t.Helper()
	return concerned(r.t, r.kubeconfig(r.Foreign))
}

// must runs lab, and ends the test where its exit code is none of codes. It returns what it printed.
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

// command prepares a call of lab in a process group of its own, as a shell has it.
func (r *run) command(ctx context.Context, args []string, said *bytes.Buffer) *exec.Cmd {
	cmd := r.Lab(ctx, slices.Concat(args, []string{"--progress", "json"})...)
	cmd.Stderr = said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// groupEnds waits until nothing runs any more that a command has started: it may still make what it was told to.
func (r *run) groupEnds(pgid int) {
	r.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); syscall.Kill(-pgid, 0) == nil; <-tick.C {
		if time.Now().After(deadline) {
			r.t.Error("what lab started never ends")
			return
		}
	}
}
