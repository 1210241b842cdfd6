// Package doctor checks whether clusters can run on a machine, and finds settings that cause
// trouble later. It changes nothing, and needs no privileges.
package doctor

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/clusterlab-dev/lab/providers"
)

// Level is the severity of a finding.
type Level string

// The levels. Only a Blocking finding prevents lab from creating clusters.
const (
	OK       Level = "ok"
	Warning  Level = "warning"
	Blocking Level = "blocking"
)

// Finding is the result of one check.
type Finding struct {
	Check string `json:"check"` // the subject, such as "memory of the engine"
	Level Level  `json:"level"`
	Found string `json:"found"`
	Why   string `json:"why,omitempty"`  // why it matters; "" if Level is OK
	Mend  string `json:"mend,omitempty"` // the command that fixes it, or an instruction
}

// Machine gives access to the machine to check. Tests use a fake one.
type Machine struct {
	OS       string                                                                 // as runtime.GOOS
	Root     string                                                                 // the directory that contains proc and sys
	Disk     string                                                                 // a path on the disk of the clusters, used if the engine reports none
	Bin      string                                                                 // the directory in which lab installs programs
	Flavors  []providers.Provider                                                   // their tools are looked for
	Getenv   func(string) string                                                    // as os.Getenv
	LookPath func(string) (string, error)                                           // as exec.LookPath
	Run      func(ctx context.Context, name string, args ...string) ([]byte, error) // runs a program, and returns its stdout
	Answers  func(ctx context.Context, address string) bool                         // reports whether a program listens on a TCP address
	Free     func(path string) (bytes uint64, err error)                            // returns the free space of the disk of path
	Now      func() time.Time
}

// This returns the machine on which lab runs. disk is a path on the disk of the clusters, and bin
// the directory in which lab installs programs; neither need exist yet.
func This(disk, bin string, flavors ...providers.Provider) Machine {
	return Machine{
		OS: runtime.GOOS, Root: "/", Disk: disk, Bin: bin, Flavors: flavors, Getenv: os.Getenv, LookPath: exec.LookPath,
		Run:     run,
		Answers: answers,
		Free:    free,
		Now:     time.Now,
	}
}

// runTimeout bounds one call of a program. Even a slow one prints its version within a second.
const runTimeout = 5 * time.Second

func run(ctx context.Context, name string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, runTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.WaitDelay = time.Second // a child process may keep the pipe open
	return cmd.Output()
}

func answers(ctx context.Context, address string) bool {
	dialer := net.Dialer{Timeout: time.Second}
	c, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return false
	}
	return c.Close() == nil
}

// Examine runs all checks in parallel. The order of the findings is always the same.
func (m Machine) Examine(ctx context.Context) []Finding {
	checks := []func(context.Context) []Finding{
		m.engine, m.cgroups, m.kernel, m.inotify, m.ports, m.proxies, m.authorities, m.tools,
	}
	found := make([][]Finding, len(checks))
	var wg sync.WaitGroup
	for i, check := range checks {
		wg.Go(func() { found[i] = check(ctx) })
	}
	wg.Wait()
	var all []Finding
	for _, f := range found {
		all = append(all, f...)
	}
	return all
}

// read returns the contents of the file path below Root, or "" if it cannot be read.
func (m Machine) read(path string) string {
	data, err := os.ReadFile(filepath.Join(m.Root, path))
	if err != nil {
		return ""
	}
	return string(data)
}

func ok(check, found string) Finding { return Finding{Check: check, Level: OK, Found: found} }
