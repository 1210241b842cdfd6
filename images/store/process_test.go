//go:build unix

package store_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"

	"github.com/clusterlab-dev/lab/images/store"
)

// pushVariable makes the test binary a process that pushes its standard input into the store in a directory.
const pushVariable = "LAB_TEST_PUSH_TO"

// leaseVariable makes it a process that pushes its argument through a lease, prints it, and waits for the end of its
// standard input.
const leaseVariable = "LAB_TEST_LEASE_IN"

func TestMain(m *testing.M) {
	if dir := os.Getenv(leaseVariable); dir != "" {
		os.Exit(leaseInput(dir, os.Args[1]))
	}
	if dir := os.Getenv(pushVariable); dir != "" {
		os.Exit(pushInput(dir, os.Args[1]))
	}
	os.Exit(m.Run())
}

func pushInput(dir, text string) int {
	s := store.Open(dir, store.Options{Free: plenty})
	d := ocispec.Descriptor{Digest: digest.FromString(text), Size: int64(len(text))}
	err := s.Push(context.Background(), d, io.TeeReader(os.Stdin, os.Stdout)) // so that the test knows what was read
	if err == nil {
		err = s.Tag(context.Background(), d, text)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func leaseInput(dir, text string) int {
	ctx := context.Background()
	leased, release, err := store.Open(dir, store.Options{Free: plenty}).Lease(ctx)
	if err == nil {
		d := ocispec.Descriptor{Digest: digest.FromString(text), Size: int64(len(text))}
		err = leased.Push(ctx, d, strings.NewReader(text))
	}
	if err != nil && !errors.Is(err, errdef.ErrAlreadyExists) {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	_, _ = fmt.Print(text)
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := release(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// leaser is a process that has pushed text, or found it, through a lease.
func leaser(t *testing.T, s *store.Store, text string) (cmd *exec.Cmd, in io.Closer) {
	t.Helper()
	cmd = exec.CommandContext(t.Context(), os.Args[0], text)
	cmd.Env = append(os.Environ(), leaseVariable+"="+s.Dir())
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, len(text))); err != nil {
		t.Fatal(err)
	}
	return cmd, in
}

// TestLease checks that content that another process uses is not removed until that process ends, also if it is killed,
// and that all other content is.
func TestLease(t *testing.T) {
	s := open(t, store.Options{})
	found := push(t, s, "found")
	if err := os.Chtimes(path(s, found), time.Time{}, time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	unused := push(t, s, "unused")
	if err := os.Chtimes(path(s, unused), time.Time{}, time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	first, done := leaser(t, s, "found")
	second, _ := leaser(t, s, "pushed")
	exist := func(when string, want map[string]bool) {
		t.Helper()
		if _, err := s.Prune(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		for text, want := range want {
			if _, err := os.Stat(path(s, mustLayer(text))); (err == nil) != want {
				t.Errorf("%s: %s is stored: %t, want %t", when, text, err == nil, want)
			}
		}
	}
	exist("two leases", map[string]bool{"found": true, "pushed": true, "unused": false})
	if err := s.Pin(t.Context(), "pin", mustLayer("pushed")); err != nil {
		t.Fatal(err)
	}
	if err := s.Drop(t.Context(), "pin"); err != nil {
		t.Fatal(err)
	}
	exist("after Drop", map[string]bool{"found": true, "pushed": true})
	_ = done.Close()
	if err := first.Wait(); err != nil {
		t.Fatal(err)
	}
	exist("one lease", map[string]bool{"pushed": true})
	_ = second.Process.Kill()
	_ = second.Wait()
	exist("no lease", map[string]bool{"found": false, "pushed": false})
	if left, err := os.ReadDir(filepath.Join(s.Dir(), "leases")); err != nil || len(left) != 0 {
		t.Errorf("files of leases: %v, %v", left, err)
	}
}

// pusher is a process that pushes text.
func pusher(t *testing.T, s *store.Store, text string) (cmd *exec.Cmd, in io.WriteCloser, out io.Reader) {
	t.Helper()
	cmd = exec.CommandContext(t.Context(), os.Args[0], text)
	cmd.Env = append(os.Environ(), pushVariable+"="+s.Dir())
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if out, err = cmd.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, in, out
}

// TestKilled checks that a process that is killed while it writes leaves nothing visible, and that the next writer
// removes its file.
func TestKilled(t *testing.T) {
	s := open(t, store.Options{})
	cmd, in, out := pusher(t, s, "content")
	if _, err := io.WriteString(in, "cont"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	push(t, s, "other") // does not disturb the process that still writes
	if n := ingesting(t, s); n != 1 {
		t.Fatalf("%d files in ingest while a process writes", n)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if exists, err := s.Exists(t.Context(), mustLayer("content")); exists || err != nil {
		t.Errorf("visible: %v, %v", exists, err)
	}
	push(t, s, "another")
	if n := ingesting(t, s); n != 0 {
		t.Errorf("%d files in ingest", n)
	}
}

// TestProcesses checks that processes that write at the same time lose none of their tags.
func TestProcesses(t *testing.T) {
	s := open(t, store.Options{})
	var all []*exec.Cmd
	for i := range 6 {
		text := strings.Repeat("content", i/2+1) // each twice
		cmd, in, out := pusher(t, s, text)
		go func() { _, _ = io.Copy(io.Discard, out) }()
		if _, err := io.WriteString(in, text); err != nil {
			t.Fatal(err)
		}
		_ = in.Close()
		all = append(all, cmd)
	}
	for _, cmd := range all {
		_ = cmd.Wait() // the second of two may find that the content exists
	}
	tags, err := s.Tags(t.Context())
	if err != nil || len(tags) != 3 {
		t.Errorf("%v, %v", tags, err)
	}
	for _, tag := range tags {
		if got, err := read(t, s, tag.Descriptor); got != tag.Ref || err != nil {
			t.Errorf("%s: %q, %v", tag.Ref, got, err)
		}
	}
}
