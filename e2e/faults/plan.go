//go:build e2e && unix

package faults

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// RoundsVariable names the environment variable with the rounds to run: a number, or FIRST-LAST.
const RoundsVariable = "LAB_E2E_ROUNDS"

// points is the number of parts into which the usual duration of a command is divided.
const points = 10

// life is the number of rounds of one cluster: one for each operation.
const life = 5

// faulted is a fault that is injected into a command.
type faulted string

const (
	kill    faulted = "kill -9"
	ctrlC   faulted = "Ctrl-C"
	outage  faulted = "engine gone"
	pausing faulted = "node paused"
)

// operation is a command into which a fault is injected.
type operation string

const (
	up      operation = "up"
	install operation = "addon install"
	remove  operation = "addon remove"
	start   operation = "start"
	down    operation = "down"
)

// round is one fault in one command.
type round struct {
	number int
	operation
	faulted
	point int
	tries int // how often the command ended before the fault
}

func (r round) String() string {
	return fmt.Sprintf("%d: %s at %d of %d of %s", r.number, r.faulted, r.point, points, r.operation)
}

// after returns the time of the fault in a command of the given duration: the middle of its part, and earlier for
// each time that the command ended before the fault.
func (r round) after(usual time.Duration) time.Duration {
	return usual * time.Duration(2*r.point+1) / (2 * points) / time.Duration(1+r.tries)
}

// shared reports whether the addon's namespace contains a foreign release: in the rounds of every other cluster.
func (r round) shared() bool { return r.number/life%2 == 0 }

// next returns the rounds of one cluster, one for each operation, and the remaining rounds.
func next(rounds []round) (taken map[operation]round, rest []round) {
	taken = map[operation]round{}
	for _, r := range rounds {
		if _, ok := taken[r.operation]; ok || r.shared() != rounds[0].shared() {
			rest = append(rest, r)
		} else {
			taken[r.operation] = r
		}
	}
	return taken, rest
}

// plan returns the round with a number. Any 20 consecutive rounds contain each fault in each operation. Any 5 rounds
// that start at a multiple of 5 are the operations in the order of a cluster's life. There are 200 different rounds.
func plan(number int) round {
	faults := []faulted{kill, ctrlC, outage, pausing}
	pair := number % (life * len(faults))
	return round{
		number:    number,
		operation: []operation{up, install, remove, start, down}[pair%life],
		faulted:   faults[pair%len(faults)],
		point:     (8*(pair/life) + pair%life + number/(life*len(faults))) % points,
	}
}

// chosen returns the first round and the one after the last, in whole lives.
func chosen(t *testing.T, usual int) (from, to int) {
	t.Helper()
	text := os.Getenv(RoundsVariable)
	if text == "" {
		return 0, usual
	}
	first, last, part := strings.Cut(text, "-")
	to, err := strconv.Atoi(first)
	if part && err == nil {
		from = to - 1
		to, err = strconv.Atoi(last)
	}
	if err != nil || from < 0 || to <= from || from%life != 0 || to%life != 0 {
		t.Fatalf("%s=%q: want a number of rounds, as 20, or FIRST-LAST, as 6-10, in steps of %d", RoundsVariable, text, life)
	}
	return from, to
}
