package minikube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/clusterlab-dev/lab/providers/fault"
)

const (
	programName = "minikube"
	builtName   = "lab-minikube"

	// versionWithin bounds how long minikube may take to report its version: far more than
	// it needs on a busy machine.
	versionWithin = 15 * time.Second
)

// oldest returns the first version of minikube whose events and files have the format that lab
// reads.
func oldest() version { return version{1, 32} }

// version is the major and minor version of minikube.
type version struct{ major, minor int }

func (v version) before(major, minor int) bool {
	return v.major < major || v.major == major && v.minor < minor
}

// program is a minikube that can be run.
type program struct {
	path    string
	version version
}

// runner runs minikube for lab.
type runner struct {
	opts    Options
	lingers time.Duration // how long children of minikube may go on after it was ended

	mu    sync.Mutex
	known program // whose version is known; asking takes 0.1 s
}

// program returns the minikube to use, once it has told its version. Otherwise it
// returns ErrUnavailable.
func (r *runner) program(ctx context.Context) (program, error) {
	path, err := r.findProgram()
	if err != nil {
		return program{}, err
	}
	r.mu.Lock() // also while minikube runs, so that concurrent callers ask it once
	defer r.mu.Unlock()
	if r.known.path != path {
		known, err := r.meet(ctx, path)
		if err != nil {
			return program{}, err
		}
		r.known = known
	}
	return r.known, nil
}

// meet asks a minikube for its version, and returns ErrUnavailable if lab does not support it.
func (r *runner) meet(ctx context.Context, path string) (program, error) {
	text, err := r.askVersion(ctx, path)
	if err != nil {
		return program{}, err
	}
	var v version
	if _, err := fmt.Sscanf(text, "v%d.%d", &v.major, &v.minor); err != nil {
		return program{}, unfit(path, fmt.Errorf("unexpected version %q", text))
	}
	if first := oldest(); v.before(first.major, first.minor) {
		err := fault.Errorf(fault.ErrUnavailable, "%s is minikube %s, but lab requires v%d.%d or newer", path, text, first.major, first.minor)
		return program{}, fault.WithHint(err, "install a newer version: https://minikube.sigs.k8s.io/docs/start/")
	}
	return program{path, v}, nil
}

// findProgram returns the path of the user's minikube or else of the one that is built with
// lab.
func (r *runner) findProgram() (string, error) {
	if r.opts.Program != "" {
		return r.opts.Program, nil
	}
	if path, err := exec.LookPath(programName); err == nil {
		return path, nil
	}
	var dirs []string
	if self, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(self); err == nil {
			self = real
		}
		dirs = append(dirs, filepath.Dir(self))
	}
	for _, dir := range append(dirs, r.opts.BinDirs...) {
		if path, err := exec.LookPath(filepath.Join(dir, builtName)); err == nil {
			return path, nil
		}
	}
	if path, err := exec.LookPath(builtName); err == nil {
		return path, nil
	}
	return "", fault.WithHint(fault.Errorf(fault.ErrUnavailable, "minikube is not installed"), "%s", installHint())
}

func installHint() string {
	if runtime.GOOS == "darwin" {
		return "install minikube: brew install minikube"
	}
	return "install minikube: https://minikube.sigs.k8s.io/docs/start/; or build it in a checkout of lab: make lab-minikube"
}

// askVersion runs minikube to get its version. It returns ErrUnavailable if the program cannot
// run, does not answer, or is not minikube.
func (r *runner) askVersion(ctx context.Context, path string) (string, error) {
	limited, cancel := context.WithTimeout(ctx, versionWithin)
	defer cancel()
	cmd := exec.CommandContext(limited, path, "version", "--output=json")
	cmd.Env = r.environment("")
	// minikube creates its home for every command; a user who only checks may never use it.
	if home, err := os.MkdirTemp("", "lab-minikube-"); err == nil {
		defer func() { _ = os.RemoveAll(home) }()
		cmd.Env = append(cmd.Env, "MINIKUBE_HOME="+home)
	}
	cmd.WaitDelay = time.Second // a child may keep the pipe open
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if limited.Err() != nil {
		err = fmt.Errorf("it did not report its version within %s", versionWithin)
	}
	if err != nil {
		return "", unfit(path, err)
	}
	var answer struct{ MinikubeVersion string }
	if err := json.Unmarshal(out, &answer); err != nil || answer.MinikubeVersion == "" {
		return "", unfit(path, errors.New("it does not report its version"))
	}
	return answer.MinikubeVersion, nil
}

// unfit returns the error of a program that cannot be used, with the last lines of its output.
func unfit(path string, err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if words := strings.TrimSpace(lastLines(string(exit.Stderr), 3)); words != "" {
			err = fmt.Errorf("%w: %s", err, words)
		}
	}
	var failed *exec.Error // its text names the program, too
	if errors.As(err, &failed) {
		err = failed.Err
	}
	return fault.WithHint(fault.Errorf(fault.ErrUnavailable, "cannot use %s: %w", path, err),
		"check its output: %s version; or reinstall minikube: https://minikube.sigs.k8s.io/docs/start/", path)
}
