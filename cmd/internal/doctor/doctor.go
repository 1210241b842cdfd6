// Package doctor looks at a machine: whether clusters can be made on it, and what will
// trouble whoever works with them. It changes nothing, and needs no rights.
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
)

// Level says how bad a finding is.
type Level string

// Only what is blocking keeps lab from making clusters.
const (
	OK       Level = "ok"
	Warning  Level = "warning"
	Blocking Level = "blocking"
)

// Finding is what one look at the machine found.
type Finding struct {
	Check string `json:"check"` // what was looked at: "memory"
	Level Level  `json:"level"`
	Found string `json:"found"`
	Why   string `json:"why,omitempty"`  // it matters; "" where all is well
	Mend  string `json:"mend,omitempty"` // the command, or what comes closest to one
}

// Machine is what is looked at. Tests look at others than this one.
type Machine struct {
	OS       string                                                                 // as in runtime.GOOS
	Root     string                                                                 // where /proc and /sys are
	Disk     string                                                                 // a path on the disk that clusters are on, if the engine does not say
	Bin      string                                                                 // where lab puts programs, beside PATH
	Getenv   func(string) string                                                    // the environment
	LookPath func(string) (string, error)                                           // finds a program
	Run      func(ctx context.Context, name string, args ...string) ([]byte, error) // and what it prints on stdout
	Answers  func(ctx context.Context, address string) bool                         // whether somebody listens there
	Free     func(path string) (bytes uint64, err error)                            // on the disk of a path
	Now      func() time.Time
}

// This returns this machine. disk is a path on it, and bin where lab puts programs; neither
// need exist yet.
func This(disk, bin string) Machine {
	return Machine{
		OS: runtime.GOOS, Root: "/", Disk: disk, Bin: bin, Getenv: os.Getenv, LookPath: exec.LookPath,
		Run:     run,
		Answers: answers,
		Free:    free,
		Now:     time.Now,
	}
}

// patience is how long a program may take that is asked something.
const patience = 5 * time.Second

func run(ctx context.Context, name string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.WaitDelay = time.Second // some leave children that hold the pipe
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

// Examine looks at the machine, at all that can be looked at side by side. Findings are in
// the same order each time.
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

// read returns a file of the kernel's, or "" where there is none.
func (m Machine) read(path string) string {
	data, err := os.ReadFile(filepath.Join(m.Root, path))
	if err != nil {
		return ""
	}
	return string(data)
}

func ok(check, found string) Finding { return Finding{Check: check, Level: OK, Found: found} }
