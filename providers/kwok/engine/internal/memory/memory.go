// Package memory adapts the garbage collection of the engine to its work: time matters while the
// cluster starts or changes much, and memory while it is idle, as most clusters are.
package memory

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// How much the heap may grow between two garbage collections, in percent. A cluster that starts has a
// small heap. A cluster with thousands of pods has a large one, and each collection reads all of it.
const (
	growthStarting = 200
	growthBusy     = 100
	growthIdle     = 30
)

const (
	// every is how often the work is measured.
	every = 2 * time.Second

	// busyBytes is how much a busy engine allocates in that time. An idle one with a few nodes allocates
	// less than a megabyte.
	busyBytes = 64 << 20
)

// Hurry makes collections rare, for the start of the cluster.
func Hurry() { debug.SetGCPercent(growthStarting) }

// Follow returns the memory that only the start needed, and adapts the collections to the work until
// ctx is cancelled. It also returns the memory of code whenever the engine becomes idle.
func Follow(ctx context.Context, code Code) {
	relax()
	tick := time.NewTicker(every)
	defer tick.Stop()
	p := pace{allocated: allocated(), idle: settling}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		switch p.observe(allocated()) {
		case toBusy:
			debug.SetGCPercent(growthBusy)
		case toIdle:
			relax()
			code.release()
		}
	}
}

// relax makes collections frequent, and returns unused memory to the system.
func relax() {
	debug.SetGCPercent(growthIdle)
	debug.FreeOSMemory()
}

// allocated returns how many bytes were allocated since the process started.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// settling is how many observations without much work make a busy engine idle. Work comes in bursts.
const settling = 3

// pace decides when the engine becomes busy or idle.
type pace struct {
	allocated uint64 // at the last observation
	idle      int    // observations without much work, until the engine counts as idle
	busy      bool
}

// change is what an observation changes.
type change int

const (
	toSame change = iota
	toBusy
	toIdle
)

// observe is called every two seconds with the number of bytes that were allocated until now. The
// first idle phase after the start counts as a change, because the caches of the controllers fill
// after the cluster is ready.
func (p *pace) observe(allocated uint64) change {
	working := allocated-p.allocated >= busyBytes
	p.allocated = allocated
	switch {
	case working:
		p.idle = settling
		if !p.busy {
			p.busy = true
			return toBusy
		}
	case p.idle > 0:
		p.idle--
		if p.idle == 0 {
			p.busy = false
			return toIdle
		}
	}
	return toSame
}
