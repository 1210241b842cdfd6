package kwok

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/providers/fault"
)

const (
	engineName = "lab-engine"

	// answerWithin is the timeout of lab-engine version and lab-engine check. Both take well under a
	// second, and a few seconds on a busy machine.
	answerWithin = 15 * time.Second
)

// findEngine returns the path of the first lab-engine that can be run. If there is none, it returns
// ErrUnavailable with the problem of the first one that it found.
func (p *Provider) findEngine() (string, error) {
	if !supported {
		return "", fault.WithHint(
			fault.Errorf(fault.ErrUnavailable, "lab-engine runs on Linux and macOS only"),
			"run lab inside WSL 2, or use --flavor kind")
	}
	var unfit error
	for _, path := range p.candidates() {
		err := executable(path)
		if err == nil {
			return path, nil
		}
		named := p.opts.Engine != ""
		if unfit == nil && (named || !errors.Is(err, fs.ErrNotExist)) {
			unfit = err
		}
	}
	if unfit != nil {
		return "", unfit
	}
	return "", reinstall(fault.Errorf(fault.ErrUnavailable, "the program %s is not installed", engineName))
}

// candidates returns the paths at which lab-engine may be, in the order of preference. The one next to
// lab is first, because it is of the same build.
func (p *Provider) candidates() []string {
	if p.opts.Engine != "" {
		return []string{p.opts.Engine}
	}
	var paths []string
	if self, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(self); err == nil {
			self = real
		}
		paths = append(paths, filepath.Join(filepath.Dir(self), engineName))
	}
	if onPath, err := exec.LookPath(engineName); err == nil {
		paths = append(paths, onPath)
	}
	for _, dir := range p.opts.BinDirs {
		paths = append(paths, filepath.Join(dir, engineName))
	}
	return paths
}

// executable returns nil if the file at path can be run, else ErrUnavailable.
func executable(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return reinstall(fault.Errorf(fault.ErrUnavailable, "%w", err))
	}
	if info.IsDir() {
		return reinstall(fault.Errorf(fault.ErrUnavailable, "%s is a directory, not a program", path))
	}
	if info.Mode()&0o111 == 0 {
		return fault.WithHint(fault.Errorf(fault.ErrUnavailable, "%s is not executable", path),
			"make it executable: chmod +x %s", fault.ShellWord(path))
	}
	return nil
}

// askVersion returns the version of Kubernetes that the engine at path contains. It returns
// ErrUnavailable if the engine cannot be run or does not answer.
func askVersion(ctx context.Context, path string) (string, error) {
	out, err := ask(ctx, path, nil, "version", "-o", "json")
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err != nil {
		return "", cannotRun(path, err)
	}
	var answer struct{ KubernetesVersion string }
	if err := json.Unmarshal(out, &answer); err != nil || answer.KubernetesVersion == "" {
		return "", cannotRun(path, errors.New("it does not print its version"))
	}
	return answer.KubernetesVersion, nil
}

// checkNative returns ErrInvalid with the error of the engine at path if the engine rejects a
// configuration. It creates nothing.
func checkNative(ctx context.Context, path string, native []byte) error {
	_, err := ask(ctx, path, native, "check")
	if ctx.Err() != nil {
		return ctx.Err()
	}
	exit, ok := errors.AsType[*exec.ExitError](err)
	if ok && exit.ExitCode() == exitFailed {
		return fault.WithHint(
			fault.Errorf(fault.ErrInvalid, "invalid configuration: %s", lastLines(exit.Stderr, 10)),
			"correct the file of --cluster-config or cluster.config; docs/kwok.md lists the settings")
	}
	if err != nil {
		return cannotRun(path, err)
	}
	return nil
}

// ask runs a short command of the engine at path, and returns its stdout.
func ask(ctx context.Context, path string, in []byte, args ...string) ([]byte, error) {
	limited, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	cmd := exec.CommandContext(limited, path, args...)
	cmd.Env = environment()
	cmd.Stdin = bytes.NewReader(in)
	cmd.WaitDelay = time.Second // a child process may keep the pipe open
	out, err := cmd.Output()
	if limited.Err() != nil {
		err = fmt.Errorf("it did not answer within %s", answerWithin)
	}
	return out, err
}

// environment returns the environment of an engine. A control plane must not depend on the shell that
// started it: a proxy, KUBECONFIG or, in the pod of a CI system, KUBERNETES_SERVICE_HOST would lead it
// to another cluster.
func environment() []string {
	env := []string{}
	for _, variable := range os.Environ() {
		switch name, _, _ := strings.Cut(variable, "="); name {
		case "HOME", "PATH", "TMPDIR", "TZ":
			env = append(env, variable)
		}
	}
	return env
}

// Kubectl implements [providers.KubectlProvider]: lab-engine contains a kubectl.
func (p *Provider) Kubectl() (path string, args []string, err error) {
	path, err = p.findEngine()
	return path, []string{"kubectl"}, err
}
