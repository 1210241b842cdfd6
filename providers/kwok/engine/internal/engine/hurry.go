package engine

import "runtime/debug"

// hurry trades memory for time while the cluster starts.
type hurry struct{ percent int }

// startInHurry lets the heap grow further between collections.
func startInHurry() hurry { return hurry{debug.SetGCPercent(400)} }

// end goes back to what was before, and gives back what the start needed.
func (h hurry) end() {
	debug.SetGCPercent(h.percent)
	go debug.FreeOSMemory()
}
