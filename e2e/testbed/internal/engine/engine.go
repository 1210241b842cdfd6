//go:build linux

// Package engine uses a running Docker Engine, or installs, starts and stops one if none answers.
package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/clusterlab-dev/lab/e2e/testbed/internal/shell"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Engine is a Docker Engine with its files in Dir.
type Engine struct {
	Dir     string
	Wrapper string // the replacement of runc on a machine without CAP_SYS_RESOURCE
}

// Answers reports whether the Docker Engine of the docker client answers.
func Answers(ctx context.Context) bool {
	return shell.Cmd{}.Run(ctx, "docker", "version", "--format", "{{.Server.Version}}") == nil
}

// Up starts an engine unless one answers. It returns ErrUnavailable if it may not start one or the engine does not
// answer.
func (e Engine) Up(ctx context.Context, log io.Writer) error {
	if Answers(ctx) {
		return nil
	}
	if os.Geteuid() != 0 {
		return fault.WithHint(fmt.Errorf("%w: no Docker Engine answers, and only root can start one",
			fault.ErrUnavailable), "start Docker, or run `make testbed` as root")
	}
	if err := mountControllers(log); err != nil {
		return err
	}
	if err := raiseLimits(inotify, log); err != nil {
		return err
	}
	return e.start(ctx, log)
}

func (e Engine) start(ctx context.Context, log io.Writer) error {
	if err := os.MkdirAll(e.Dir, 0o700); err != nil {
		return err
	}
	output, err := os.OpenFile(filepath.Join(e.Dir, "dockerd.log"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer output.Close()
	args := []string{"--host=unix:///var/run/docker.sock", "--pidfile=" + e.pidFile(),
		"--data-root=" + filepath.Join(e.Dir, "docker"), "--exec-root=/run/lab-testbed"}
	lacks, err := lacksSysResource()
	if err != nil {
		return err
	}
	if lacks {
		args = append(args, "--add-runtime=lab="+e.Wrapper, "--default-runtime=lab")
	}
	fmt.Fprintln(log, "+ dockerd", strings.Join(args, " "))
	cmd, err := launch(output, "dockerd", args...)
	if err != nil {
		return fmt.Errorf("%w: %w", fault.ErrUnavailable, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	if err := e.await(ctx, ended); err != nil {
		return err
	}
	return keepInside(ctx, log)
}

// keepInside rejects packets to addresses of services and pods that would leave Docker's bridges. Without these
// rules, a node whose proxy or routes are not set up yet would send them to the network of the machine, where an
// unknown host may answer.
func keepInside(ctx context.Context, log io.Writer) error {
	return eachEgressRule(func(rule []string) error {
		if iptables(ctx, log, "-C", rule) == nil {
			return nil // from an engine that Down did not stop
		}
		return iptables(ctx, log, "-I", rule)
	})
}

func eachEgressRule(do func(rule []string) error) error {
	for _, cidr := range []string{"10.42.0.0/15", "10.96.0.0/12", "10.244.0.0/16"} { // k3d's, kind's and minikube's
		if err := do([]string{"-d", cidr, "!", "-o", "br+", "-j", "REJECT"}); err != nil {
			return err
		}
	}
	return nil
}

func iptables(ctx context.Context, log io.Writer, verb string, rule []string) error {
	return shell.Cmd{Log: log}.Run(ctx, "iptables", append([]string{"-w", verb, "DOCKER-USER"}, rule...)...)
}

// await returns when the engine answers, with an error if it has ended or 60 s have passed.
func (e Engine) await(ctx context.Context, ended <-chan error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for !Answers(ctx) {
		select {
		case err := <-ended:
			return fmt.Errorf("%w: dockerd ended: %v (log: %s)", fault.ErrUnavailable, err, filepath.Join(e.Dir, "dockerd.log"))
		case <-ctx.Done():
			return fmt.Errorf("dockerd does not answer: %w", ctx.Err())
		case <-tick.C:
		}
	}
	return nil
}

// Down stops the engine that Up started, and waits until it has ended. It returns false if no such engine runs.
func (e Engine) Down(ctx context.Context) (bool, error) {
	pid, ok := e.pid()
	if !ok {
		return false, nil
	}
	_ = eachEgressRule(func(rule []string) error {
		_ = iptables(ctx, nil, "-D", rule) // another program may have flushed the rules
		return nil
	})
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		return false, fmt.Errorf("stopping dockerd, process %d: %w", pid, err)
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return true, fmt.Errorf("waiting for dockerd, process %d, to end: %w", pid, ctx.Err())
		case <-tick.C:
			if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
				return true, nil
			}
		}
	}
}

func (e Engine) pidFile() string { return filepath.Join(e.Dir, "dockerd.pid") }

// pid returns the process ID of the engine. It checks the arguments of the process, because another program may have
// the ID by now.
func (e Engine) pid() (int, bool) {
	data, err := os.ReadFile(e.pidFile())
	if err != nil {
		return 0, false
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		return 0, false
	}
	cmdline, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return pid, err == nil && strings.Contains(string(cmdline), "--pidfile="+e.pidFile())
}
