package engine

import "runtime/debug"

// How much the heap may grow between two collections, in percent of what is in
// use: while the cluster starts, time counts; afterwards it mostly waits, beside
// everything else that a laptop does.
const (
	growthWhileStarting = 200
	growthLater         = 50
)

func hurry() { debug.SetGCPercent(growthWhileStarting) }

// relax gives back what only the start needed.
func relax() {
	debug.SetGCPercent(growthLater)
	go debug.FreeOSMemory()
}
