// Command runc-without-sysresource is runc for a machine whose bounding set lacks CAP_SYS_RESOURCE. There runc can
// neither grant that capability, which `docker run --privileged` asks for, nor lower a process's OOM score, which
// Kubernetes asks for, and gives up. So this program takes both out of the container's configuration, and of a
// `docker exec`'s, and then becomes runc, the next one on PATH. Where nothing is lacking it changes nothing.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "runc-without-sysresource:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	if !bounded(string(status), sysResource) {
		score, err := os.ReadFile("/proc/self/oom_score_adj")
		if err != nil {
			return err
		}
		lowest, err := strconv.Atoi(strings.TrimSpace(string(score)))
		if err != nil {
			return err
		}
		if err := editAll(args, lowest); err != nil {
			return err
		}
	}
	runc, err := next("runc")
	if err != nil {
		return err
	}
	return syscall.Exec(runc, append([]string{"runc"}, args...), os.Environ())
}

// editAll edits every file that the arguments name and runc will read.
func editAll(args []string, lowest int) error {
	for i, arg := range args[:max(0, len(args)-1)] {
		var err error
		switch arg {
		case "--bundle", "-b":
			err = editBundle(filepath.Join(args[i+1], "config.json"), lowest)
		case "--process", "-p":
			err = editProcess(args[i+1], lowest)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// next finds the first program called name on PATH that is not this one: in a node, this one is called runc too.
func next(name string) (string, error) {
	self, err := os.Stat("/proc/self/exe")
	if err != nil {
		return "", err
	}
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 && !os.SameFile(info, self) {
			return path, nil
		}
	}
	return "", fmt.Errorf("no %s on PATH (%s)", name, os.Getenv("PATH"))
}

const sysResource = 24 // CAP_SYS_RESOURCE, see capabilities(7)

// bounded tells whether capability number bit is in the bounding set that a /proc/PID/status shows.
func bounded(status string, bit uint) bool {
	for line := range strings.Lines(status) {
		if hex, ok := strings.CutPrefix(line, "CapBnd:"); ok {
			set, err := strconv.ParseUint(strings.TrimSpace(hex), 16, 64)
			return err == nil && set&(1<<bit) != 0
		}
	}
	return true // an unknown kernel: let runc say what is wrong
}
