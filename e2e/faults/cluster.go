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

// cluster is a cluster that lab creates, with the faults of its rounds.
type cluster struct {
	*run
	name   string
	shared bool // the addon's namespace contains a foreign release, so lab may not delete it
	rounds map[operation]round
	own    []byte  // the kubeconfig of the cluster
	before objects // its foreign objects
}

// live creates, uses and deletes a cluster, with the fault of its round in each operation; without faults if rounds
// is nil.
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
	r.t.Logf("%s took %s", c.name, time.Since(began).Round(time.Second))
}

// addons installs and removes an addon next to foreign releases.
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

// left compares the objects of the cluster with those before the addon. Pods of the addon may need time to end.
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

// same checks that the foreign objects of the cluster are unchanged.
func (c *cluster) same(o operation) {
	c.t.Helper()
	if diff := concerned(c.t, c.own).of(c.before).changes(c.before); diff != "" {
		c.t.Errorf("%v: the foreign release has changed (-before +after):\n%s", c.rounds[o], diff)
	}
}

// during runs the command of an operation with the fault of its round, checks the foreign cluster, and returns the
// exit code, -1 if a signal ended the command.
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
		_ = cmd.Wait() // the exit code is checked below
		close(done)
	}()
	if faulty {
		timer := time.NewTimer(round.after(usual[o]))
		defer timer.Stop()
		select {
		case <-done:
			c.late = append(c.late, round)
			c.t.Logf("%v: the command ended before the fault", round)
		case <-timer.C:
			c.inject(round, cmd.Process.Pid, done)
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
		c.t.Errorf("%s: the command did not end within %s\n%s", what, patience, said.String())
	case !slices.Contains(allowed(round.faulted), code):
		c.t.Errorf("%s: exit code %d, want one of %v\n%s", what, code, allowed(round.faulted), said.String())
	}
	c.groupEnds(cmd.Process.Pid)
	c.foreignIsSame(what)
	return code
}

// allowed returns the exit codes that a command may have after a fault: success, failure, an unavailable node or
// engine, a timeout.
func allowed(f faulted) []int {
	switch f {
	case kill:
		return []int{0, -1}
	case ctrlC:
		return []int{0, 130}
	}
	return []int{0, 1, 5, 7}
}

// inject injects the fault of a round, and returns when the fault is over.
func (c *cluster) inject(round round, pid int, done <-chan struct{}) {
	switch round.faulted {
	case kill:
		_ = syscall.Kill(pid, syscall.SIGKILL) // the exit code shows whether lab had ended
		return
	case ctrlC:
		_ = syscall.Kill(-pid, syscall.SIGINT)
		return
	}
	begin := map[faulted]func(*testing.T, string) func(){outage: c.Outage, pausing: c.Pause}[round.faulted]
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	end := begin(c.t, c.name)
	for ; end == nil; end = begin(c.t, c.name) { // until the node exists
		select {
		case <-done:
			c.late = append(c.late, round)
			c.t.Logf("%v: the command ended before a node existed", round)
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

// running starts the cluster if the fault stopped it.
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
