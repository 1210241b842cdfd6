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

// RoundsVariable says how many rounds a flavor gets: a number, or FIRST-LAST to run a part of them.
const RoundsVariable = "LAB_E2E_ROUNDS"

// points is into how many parts the usual duration of a command is divided.
const points = 10

// life is how many rounds one cluster lives through: one for each operation.
const life = 5

// faulted is what is done in the middle of a command.
type faulted string

const (
	kill    faulted = "kill -9"
	ctrlC   faulted = "Ctrl-C"
	outage  faulted = "engine gone"
	pausing faulted = "node paused"
)

// operation is a command in the middle of which it is done.
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
	tries int // how often the command was done before the fault came
}

func (r round) String() string {
	return fmt.Sprintf("%d: %s at %d of %d of %s", r.number, r.faulted, r.point, points, r.operation)
}

// after returns when the fault comes in a command that usually takes so long: in the middle of its part, and earlier
// where the command turned out to be quicker.
func (r round) after(usual time.Duration) time.Duration {
	return usual * time.Duration(2*r.point+1) / (2 * points) / time.Duration(1+r.tries)
}

// shared tells whether there is something foreign in the addon's namespace: in the rounds of every other life.
func (r round) shared() bool { return r.number/life%2 == 0 }

// next takes out of rounds those of one life: one for each operation.
func next(rounds []round) (taken map[operation]round, rest []round) {
	taken = map[operation]round{}
	for _, r := range rounds {
		if _, is := taken[r.operation]; is || r.shared() != rounds[0].shared() {
			rest = append(rest, r)
		} else {
			taken[r.operation] = r
		}
	}
	return taken, rest
}

// plan returns the round of a number. Any 20 that follow each other have each fault in each operation, any 5 from a
// multiple of 5 on are the operations in the order of a cluster's life, and 200 are all that there are.
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
