//go:build e2e && unix

package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// cluster is one of lab's, and what is to happen to it.
type cluster struct {
	*run
	name   string
	shared bool // there is something foreign in the addon's namespace, which otherwise is lab's to delete
	rounds map[operation]round
	own    []byte  // its kubeconfig
	before objects // what is foreign in it
}

// live has a cluster come, live and go, with the fault of its round in each operation; none without rounds.
func (r *run) live(shared bool, rounds map[operation]round) {
	r.t.Helper()
	c := &cluster{run: r, name: r.Name(), shared: shared, rounds: rounds}
	began := time.Now()
	create := append([]string{"up", c.name}, r.Flavor...)
	if c.during(up, create...) == 130 {
		r.Nothing(r.t, c.name)
	}
	if !c.shared {
		r.must([]int{0, 3}, "down", c.name)
		r.gone(c.name)
	}
	r.must([]int{0}, create...)
	c.addons()

	r.must([]int{0}, "stop", c.name)
	c.during(start, "start", c.name)
	r.must([]int{0}, "start", c.name)
	c.running()
	c.own = r.kubeconfig(r.current())
	c.same(start)

	c.during(down, "down", c.name)
	r.must([]int{0, 3}, "down", c.name)
	r.gone(c.name)
	r.t.Logf("%s lived for %s", c.name, time.Since(began).Round(time.Second))
}

// addons installs and removes one beside foreign releases.
func (c *cluster) addons() {
	c.t.Helper()
	c.own = c.kubeconfig(c.current())
	namespaces := []string{foreign}
	if c.shared {
		namespaces = append(namespaces, addon)
	}
	putReleases(c.t, c.own, namespaces...)
	c.before = settled(c.t, c.own, len(namespaces))

	command := []string{"addon", "install", addon, "--name", c.name}
	c.during(install, command...)
	c.running()
	c.same(install)
	c.must([]int{0}, command...)
	c.same(install)

	command[1] = "remove"
	c.during(remove, command...)
	c.running()
	c.same(remove)
	c.must([]int{0, 3}, command...)
	if diff := c.left(); diff != "" {
		c.t.Errorf("%v: after the addon was removed (-before +after):\n%s", c.rounds[remove], diff)
	}
}

// left returns how what there is differs from what was before the addon. A pod of its may take its time to end.
func (c *cluster) left() (diff string) {
	c.t.Helper()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for deadline := time.Now().Add(40 * time.Second); ; <-tick.C {
		diff = concerned(c.t, c.own).changes(c.before)
		if diff == "" || time.Now().After(deadline) {
			return diff
		}
	}
}

// same checks that what is foreign in the cluster is what it was.
func (c *cluster) same(o operation) {
	c.t.Helper()
	if diff := concerned(c.t, c.own).of(c.before).changes(c.before); diff != "" {
		c.t.Errorf("%v: the foreign release has changed (-before +after):\n%s", c.rounds[o], diff)
	}
}

// during runs the command of an operation with the fault of its round in the middle of it, checks what is foreign, and
// returns its exit code, -1 where a signal ended it.
func (c *cluster) during(o operation, args ...string) int {
	c.t.Helper()
	round, faulty := c.rounds[o]
	what := fmt.Sprint(round)
	if !faulty {
		what = string(o) + " without a fault"
	}
	usual := c.usual[c.shared]
	began := time.Now()
	var said bytes.Buffer
	ctx, cancel := context.WithTimeout(c.t.Context(), usual[o]+patience)
	defer cancel()
	cmd := c.command(ctx, args, &said)
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		_ = cmd.Wait() // its code says what there is to say
		close(done)
	}()
	if faulty {
		timer := time.NewTimer(round.after(usual[o]))
		defer timer.Stop()
		select {
		case <-done:
			c.late = append(c.late, round)
			c.t.Logf("%v: it was done before", round)
		case <-timer.C:
			c.disturb(round, cmd.Process.Pid, done)
		}
	}
	<-done
	code := cmd.ProcessState.ExitCode()
	took := time.Since(began)
	c.t.Logf("%s: exit code %d after %s: %s", what, code, took.Round(time.Millisecond), lastLine(said.String()))
	switch {
	case !faulty && code != 0:
		c.t.Fatalf("lab %s: exit code %d\n%s", strings.Join(args, " "), code, said.String())
	case !faulty:
		usual[o] = took
	case ctx.Err() != nil:
		c.t.Errorf("%s: it did not end within %s\n%s", what, patience, said.String())
	case !slices.Contains(allowed(round.faulted), code):
		c.t.Errorf("%s: exit code %d, want one of %v\n%s", what, code, allowed(round.faulted), said.String())
	}
	c.groupEnds(cmd.Process.Pid)
	c.foreignIsSame(what)
	return code
}

// allowed returns the exit codes that a command may have after a fault: done nevertheless, failed, a node or engine that
// cannot be reached, or not ready in time.
func allowed(f faulted) []int {
	switch f {
	case kill:
		return []int{0, -1}
	case ctrlC:
		return []int{0, 130}
	}
	return []int{0, 1, 5, 7}
}

// disturb does what the round is about. It returns when that is over.
func (c *cluster) disturb(round round, pid int, done <-chan struct{}) {
	switch round.faulted {
	case kill:
		_ = syscall.Kill(pid, syscall.SIGKILL) // fails where it has ended, which its code tells
		return
	case ctrlC:
		_ = syscall.Kill(-pid, syscall.SIGINT)
		return
	}
	begin := map[faulted]func(*testing.T, string) func(){outage: c.Outage, pausing: c.Pause}[round.faulted]
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	end := begin(c.t, c.name)
	for ; end == nil; end = begin(c.t, c.name) { // there is nothing of it yet
		select {
		case <-done:
			c.late = append(c.late, round)
			c.t.Logf("%v: there was nothing that could be taken away", round)
			return
		case <-tick.C:
		}
	}
	timer := time.NewTimer(held)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
	end()
}

// running starts the cluster where the fault has ended it.
func (c *cluster) running() {
	c.t.Helper()
	var list struct {
		Items []struct{ Name, State, Reason string }
	}
	if err := json.Unmarshal([]byte(c.must([]int{0}, "list", "-o", "json")), &list); err != nil {
		c.t.Fatal(err)
	}
	for _, item := range list.Items {
		if item.Name != c.name {
			continue
		}
		if item.State != "running" {
			c.t.Logf("%s is %s: %s", c.name, item.State, item.Reason)
			c.must([]int{0}, "start", c.name)
		}
		return
	}
	c.t.Fatalf("lab list does not show %s", c.name)
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndex(text, "\n")+1:]
}
