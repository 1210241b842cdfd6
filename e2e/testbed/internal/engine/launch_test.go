//go:build linux

package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestLaunchClosesInheritedFiles checks that the program inherits only its output.
func TestLaunchClosesInheritedFiles(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "output")
	output, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	inherited, err := syscall.Open(os.DevNull, syscall.O_RDONLY, 0) // without O_CLOEXEC, like a shell
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(inherited)
	cmd, err := launch(output, "sh", "-c", fmt.Sprintf("if [ -e /proc/self/fd/%d ]; then echo inherited; else echo alone; fi", inherited))
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if said, err := os.ReadFile(path); err != nil || string(said) != "alone\n" {
		t.Errorf("the output is %q, %v", said, err)
	}
}
