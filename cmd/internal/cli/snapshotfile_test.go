package cli

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// TestWriteNewKeepsFile checks that a file that another program creates while lab writes is not replaced.
func TestWriteNewKeepsFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "base.lab")
	err := writeNew(t.Context(), path, func(w io.Writer) error {
		if err := os.WriteFile(path, []byte("theirs"), 0o600); err != nil {
			return err
		}
		_, err := io.WriteString(w, "ours")
		return err
	})
	if !errors.Is(err, fault.ErrExists) {
		t.Errorf("%v, want ErrExists", err)
	}
	if data, err := os.ReadFile(path); string(data) != "theirs" {
		t.Errorf("the file has %q, %v", data, err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}
