//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/clusterlab-dev/lab/e2e/internal/session"
)

// binDir is the environment variable that names the directory with lab.
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

// prepare sets binDir to a directory with lab, and builds lab if necessary.
func prepare() (clean func(), err error) {
	if dir := os.Getenv(binDir); dir != "" {
		if !filepath.IsAbs(dir) { // relative to the repository
			dir = filepath.Join("..", dir)
		}
		if dir, err = filepath.Abs(dir); err != nil {
			return nil, err
		}
		return func() {}, os.Setenv(binDir, dir)
	}
	dir, err := os.MkdirTemp("", "lab-e2e-bin-")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(dir, "lab"), "../cmd/lab")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		_ = os.RemoveAll(dir)
		return nil, fmt.Errorf("%v: %w\n%s", cmd.Args, err, out)
	}
	return func() { _ = os.RemoveAll(dir) }, os.Setenv(binDir, dir)
}
