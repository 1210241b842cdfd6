// Command runc-without-sysresource replaces runc on a machine whose bounding set lacks CAP_SYS_RESOURCE. There runc
// fails, because it cannot grant that capability, which `docker run --privileged` requests, and cannot lower the OOM
// score of a process, which Kubernetes requests. This program removes both from the configuration of the container or
// of `docker exec`, and then executes the next runc on PATH. If the capability exists, it changes nothing.
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

// editAll edits every file that the arguments name and that runc reads.
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

// next returns the first program called name on PATH that is not this one, which is also called runc in a node.
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

// bounded reports whether the bounding set of a /proc/PID/status contains capability number bit.
func bounded(status string, bit uint) bool {
	for line := range strings.Lines(status) {
		if hex, ok := strings.CutPrefix(line, "CapBnd:"); ok {
			set, err := strconv.ParseUint(strings.TrimSpace(hex), 16, 64)
			return err == nil && set&(1<<bit) != 0
		}
	}
	return true // an unknown kernel: runc reports the error
}
