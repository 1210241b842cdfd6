//go:build unix

package store_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/clusterlab-dev/lab/images/store"
)

// pushVariable makes the test binary a process that pushes its standard input into the store in a directory.
const pushVariable = "LAB_TEST_PUSH_TO"

func TestMain(m *testing.M) {
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
