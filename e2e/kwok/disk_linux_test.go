//go:build e2e

package kwok

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/clusterlab-dev/lab/e2e/internal/session"
)

// TestFullDisk runs lab on disks that are too small: for the record, for the start of the engine, for the data.
func TestFullDisk(t *testing.T) {
	requireRoot(t)
	for _, size := range []string{"0", "size=4k", "size=48k", "size=1m", "size=30m"} {
		t.Run(size, func(t *testing.T) {
			t.Parallel()
			p := newUser(t)
			options := size
			if size == "0" {
				options = "size=1m,nr_inodes=1" // no inodes instead of no bytes
			}
			mount(t, p.labHome, options, 0)
			got := p.Try("up", "--flavor", "kwok")
			t.Logf("exit code %d\n%s", got.Code, got.Stderr)
			p.checkNoSpace(got)
			if left := p.List(); len(left) > 0 {
				t.Errorf("lab list shows %v", left)
			}
		})
	}
}

// TestReadOnlyDisk runs lab with a read-only state directory.
func TestReadOnlyDisk(t *testing.T) {
	requireRoot(t)
	p := newUser(t)
	mount(t, p.labHome, "size=1m", syscall.MS_RDONLY)
	p.fails(5, []string{p.labHome, "read-only file system", "LAB_HOME"}, "up", "--flavor", "kwok")
	p.Must("list")
}

// TestDiskGetsFull fills the disk of an existing cluster. down must still work, because it frees space.
func TestDiskGetsFull(t *testing.T) {
	requireRoot(t)
	p := newUser(t)
	mount(t, p.labHome, "size=300m", 0)
	name := p.up()
	full := filepath.Join(p.labHome, "full")
	fill(t, full)
	// The cluster may work or not.
	got := p.Try("status", name)
	t.Logf("$ lab status\n%s%s", got.Stdout, got.Stderr)
	p.Must("down", name)
	if err := os.Remove(full); err != nil {
		t.Fatal(err)
	}
}

// TestSnapshotFullDisk saves a cluster on a full disk.
func TestSnapshotFullDisk(t *testing.T) {
	requireRoot(t)
	p := newUser(t)
	mount(t, p.labHome, "size=300m", 0)
	name := p.up()
	full := filepath.Join(p.labHome, "full")
	fill(t, full)
	p.checkNoSpace(p.Try("snapshot", "save", "base", "--cluster", name))
	if list := p.Must("snapshot", "list", "-o", "json"); strings.Contains(list, `"base"`) {
		t.Errorf("a save that failed is listed: %s", list)
	}
	p.Must("down", name)
	p.Must("gc")
	if err := os.Remove(full); err != nil {
		t.Fatal(err)
	}
}

// fill writes to a file until the disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	block := make([]byte, 4096)
	for err == nil {
		_, err = f.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}

// requireRoot skips a test without root, which is needed to mount a disk.
func requireRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("mounting a disk requires root")
	}
}

// mount mounts a small disk at dir until the leak check has run.
func mount(t *testing.T, dir, options string, flags uintptr) {
	t.Helper()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", flags, options); err != nil {
		t.Fatalf("mount a disk with %s: %v", options, err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
}

// checkNoSpace checks that lab reports which disk is full, with a hint.
func (p *user) checkNoSpace(got session.Result) {
	p.T.Helper()
	if got.Code != 1 && got.Code != 5 {
		p.T.Errorf("exit code %d", got.Code)
	}
	for _, word := range []string{"no space left on device", "hint: ", p.labHome} {
		if !strings.Contains(got.Stderr, word) {
			p.T.Errorf("the error does not contain %q", word)
		}
	}
}
