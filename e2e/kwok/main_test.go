//go:build e2e && unix

package kwok

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/clusterlab-dev/lab/e2e/internal/session"
)

// binDir is the environment variable with the directory of both programs.
const binDir = "LAB_BIN_DIR"

func TestMain(m *testing.M) {
	session.DefaultSignals()
	clean, err := prepare()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	clean()
	os.Exit(code)
}

// prepare sets binDir to a directory with lab and lab-engine, and builds them if necessary.
func prepare() (clean func(), err error) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		return nil, err
	}
	if dir := os.Getenv(binDir); dir != "" {
		if !filepath.IsAbs(dir) { // from where go test was called, most likely
			dir = filepath.Join(root, dir)
		}
		return func() {}, os.Setenv(binDir, dir)
	}
	dir, err := os.MkdirTemp("", "lab-e2e-bin-")
	if err != nil {
		return nil, err
	}
	clean = func() { _ = os.RemoveAll(dir) }
	err = build(root, "-o", filepath.Join(dir, "lab"), "./cmd/lab")
	if err == nil {
		// The flags of the Makefile, so that the build uses its cache.
		err = build(filepath.Join(root, "providers", "kwok", "engine"),
			"-tags", "kustomize_disable_go_plugin_support", "-o", filepath.Join(dir, "lab-engine"), ".")
	}
	if err != nil {
		clean()
		return nil, err
	}
	return clean, os.Setenv(binDir, dir)
}

func build(dir string, args ...string) error {
	cmd := exec.Command("go", append([]string{"build", "-trimpath", "-ldflags", "-s -w"}, args...)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%v in %s: %w\n%s", cmd.Args, dir, err, out)
	}
	return nil
}
