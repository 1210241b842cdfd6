// Package faults interrupts lab during its commands, and checks that clusters and releases of others stay unchanged
// and that nothing of lab is left. All flavors use the same tests, each with its own Harness.
package faults
