//go:build unix

package tools_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/clusterlab-dev/lab/cmd/internal/tools"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// onFullDisk is set in a second process of this test, which may write small files only: such a
// limit holds for a whole process.
const onFullDisk = "LAB_TOOLS_ON_FULL_DISK"

// A failed installation leaves nothing, and an existing program stays.
func TestFullDisk(t *testing.T) {
	if os.Getenv(onFullDisk) == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFullDisk$")
		cmd.Env = append(os.Environ(), onFullDisk+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	small := syscall.Rlimit{Cur: 1024, Max: 1024}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &small); err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	large := func(context.Context, tools.Tool, tools.File, func(string)) ([]byte, error) {
		return bytes.Repeat([]byte("x"), 4096), nil
	}
	_, err := b.Install(t.Context(), b.tool("kubectl"), large, nil)
	if !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(fault.HintOf(err), "free some space") {
		t.Errorf("%v, hint %q", err, fault.HintOf(err))
	}
	b.empty()
	if _, err := b.install("kubectl"); err != nil {
		t.Fatal(err)
	}
	newer := b.tool("kubectl")
	newer.Version = "v1.99.0"
	if _, err := b.Install(t.Context(), newer, large, nil); err == nil {
		t.Error("there was room")
	}
	if held, err := b.Held(newer); held != "v1.37.0" || err != nil {
		t.Errorf("it was %q, %v", held, err)
	}
}
