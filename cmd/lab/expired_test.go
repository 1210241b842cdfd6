package main

import (
	"path/filepath"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/clusterlab-dev/lab/cmd/internal/state"
)

// expired makes a cluster one whose time was over an hour ago, and leaves nobody who
// waits for that: expired NAME
func expired(ts *testscript.TestScript, _ bool, args []string) {
	s := state.Open(filepath.Join(ts.Getenv("LAB_HOME"), "state"))
	r, err := s.Get(args[0])
	ts.Check(err)
	past := time.Now().Add(-time.Hour).UTC()
	r.ExpiresAt = &past
	ts.Check(s.Put(r))
}
