package engine

import "runtime/debug"

// How much the heap may grow between two garbage collections, in percent. While the cluster starts, time
// matters more; afterwards, memory does.
const (
	growthWhileStarting = 200
	growthLater         = 50
)

// hurry reduces the number of garbage collections during the start.
func hurry() { debug.SetGCPercent(growthWhileStarting) }

// relax returns the memory that only the start needed.
func relax() {
	debug.SetGCPercent(growthLater)
	go debug.FreeOSMemory()
}
