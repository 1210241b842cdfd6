//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/e2e/testbed/internal/engine"
	"github.com/clusterlab-dev/lab/e2e/testbed/internal/images"
	"github.com/clusterlab-dev/lab/e2e/testbed/internal/programs"
	"github.com/clusterlab-dev/lab/e2e/testbed/internal/steps"
)

type bed struct {
	dir        string // absolute; contains everything that the test bed builds
	repository string // root of the checkout
}

func newBed() (bed, error) {
	mod, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return bed{}, fmt.Errorf("go env GOMOD: %w", err)
	}
	dir := os.Getenv("LAB_TESTBED_DIR")
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return bed{}, err
		}
		dir = filepath.Join(cache, "lab-testbed")
	}
	dir, err = filepath.Abs(dir)
	return bed{dir: dir, repository: filepath.Dir(strings.TrimSpace(string(mod)))}, err
}

func (b bed) engine() engine.Engine {
	return engine.Engine{Dir: filepath.Join(b.dir, "engine"), Wrapper: filepath.Join(b.dir, "bin", "runc-without-sysresource")}
}

// up builds the test bed, with observability also the programs of kube-prometheus-stack, and prints how long it took.
func (b bed) up(ctx context.Context, observability bool) error {
	began := time.Now()
	catalog, made := programs.Catalog(b.repository), images.Steps(b.dir)
	if observability {
		catalog, made = append(catalog, programs.Observability(b.repository)...), append(made, images.Observability(b.dir)...)
	}
	if published() {
		catalog, made = programs.Tools(b.repository), images.Workloads(b.dir)
	}
	all := append(b.host(ctx), made...)
	for _, p := range catalog {
		all = append(all, p.Step(b.dir))
	}
	if err := (steps.Runner{Dir: b.dir, Progress: os.Stderr}).Run(ctx, all); err != nil {
		return err
	}
	if err := images.Prune(ctx); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "the test bed in %[2]s is ready after %[1]s\n", time.Since(began).Round(100*time.Millisecond), b.dir)
	return nil
}

// host returns the steps that prepare the machine.
func (b bed) host(ctx context.Context) []steps.Step {
	wanted := map[string]string{"node": "nodejs"} // for the steps of action.yml
	if !published() {
		wanted["mmdebstrap"] = "mmdebstrap"
	}
	if !engine.Answers(ctx) {
		for program, pkg := range map[string]string{"dockerd": "docker.io", "docker": "docker.io",
			"containerd": "containerd", "runc": "runc", "iptables": "iptables", "ip": "iproute2"} {
			wanted[program] = pkg
		}
	}
	host := []steps.Step{
		{Name: "packages", Lane: "debian", Make: func(ctx context.Context, key string, log io.Writer) (string, error) {
			return key, engine.Install(ctx, log, wanted)
		}},
		{Name: "engine", Lane: "engine", Needs: []string{"packages", "own-runc-without-sysresource"},
			Make: func(ctx context.Context, _ string, log io.Writer) (string, error) {
				return "engine", b.engine().Up(ctx, log)
			}},
	}
	if published() {
		return host // the other steps configure the test bed's images
	}
	return append(host, b.minikubeCache(), b.config())
}
