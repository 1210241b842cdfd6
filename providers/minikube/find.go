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
	"time"

	"github.com/clusterlab-dev/lab/providers/fault"
)

const (
	programName = "minikube"
	builtName   = "lab-minikube"

	// versionWithin bounds how long minikube may take to tell its version: far more than
	// it needs on a machine that is busy, far less than for ever.
	versionWithin = 15 * time.Second
)

// oldest is the first version of minikube whose events and files are those that lab
// reads.
func oldest() version { return version{1, 32} }

// version is a version of minikube's, as far as lab looks.
type version struct{ major, minor int }

func (v version) before(major, minor int) bool {
	return v.major < major || v.major == major && v.minor < minor
}

// program is a minikube that can be run.
type program struct {
	path    string
	version version
}

// program returns the minikube to use, once it has told its version. Otherwise it
// returns ErrUnavailable.
func (p *Provider) program(ctx context.Context) (program, error) {
	path, err := p.findProgram()
	if err != nil {
		return program{}, err
	}
	p.mu.Lock() // while it is asked: who comes meanwhile wants to know the same
	defer p.mu.Unlock()
	if p.known.path != path {
		known, err := p.meet(ctx, path)
		if err != nil {
			return program{}, err
		}
		p.known = known
	}
	return p.known, nil
}

// meet asks a minikube for its version.
func (p *Provider) meet(ctx context.Context, path string) (program, error) {
	text, err := p.askVersion(ctx, path)
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

// findProgram returns the path of the user's own minikube or else of the one that is
// built with lab.
func (p *Provider) findProgram() (string, error) {
	if p.opts.Program != "" {
		return p.opts.Program, nil
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
	for _, dir := range append(dirs, p.opts.BinDirs...) {
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

// askVersion runs minikube to learn its version. It returns ErrUnavailable where it
// cannot be run, does not answer, or is another program.
func (p *Provider) askVersion(ctx context.Context, path string) (string, error) {
	limited, cancel := context.WithTimeout(ctx, versionWithin)
	defer cancel()
	cmd := exec.CommandContext(limited, path, "version", "--output=json")
	cmd.Env = p.environment("")
	// Whatever minikube is asked, it makes its home; who only has lab look for it may never use it.
	if home, err := os.MkdirTemp("", "lab-minikube-"); err == nil {
		defer func() { _ = os.RemoveAll(home) }()
		cmd.Env = append(cmd.Env, "MINIKUBE_HOME="+home)
	}
	cmd.WaitDelay = time.Second // for a child of it that holds on to the pipe
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

// unfit is the error for a program that cannot be used, with what it said last.
func unfit(path string, err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if words := strings.TrimSpace(lastLines(string(exit.Stderr), 3)); words != "" {
			err = fmt.Errorf("%w: %s", err, words)
		}
	}
	var failed *exec.Error // which names the program itself
	if errors.As(err, &failed) {
		err = failed.Err
	}
	return fault.WithHint(fault.Errorf(fault.ErrUnavailable, "cannot use %s: %w", path, err),
		"check its output: %s version; or reinstall minikube: https://minikube.sigs.k8s.io/docs/start/", path)
}
