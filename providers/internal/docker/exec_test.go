//go:build !windows

package docker_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/docker/dockertest"
)

func TestExec(t *testing.T) {
	d := dockertest.Script(t, dockertest.Answer{Args: "exec --interactive a1 ctr import -", Stdout: "unpacking\n"},
		dockertest.Answer{Args: "exec a1 cat", Stdout: "printed"},
		dockertest.Answer{Args: "exec a1 ctr", Stderr: "ctr: no space left on device\n", Code: 1})
	if err := docker.Exec(t.Context(), "a1", strings.NewReader("x"), nil, "ctr", "import", "-"); err != nil {
		t.Errorf("%v, after %q", err, d.Calls(t))
	}
	var out strings.Builder
	if err := docker.Exec(t.Context(), "a1", nil, &out, "cat"); err != nil || out.String() != "printed" {
		t.Errorf("%q, %v", out.String(), err)
	}
	check(t, docker.Exec(t.Context(), "a1", nil, nil, "ctr"), "ctr: no space left on device", "docker system df")
}

func TestWriteLog(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log")
	for want, write := range map[string]func(io.Writer) error{
		"words":    func(w io.Writer) error { _, err := io.WriteString(w, "words"); return err },
		"broken\n": func(io.Writer) error { return errors.New("broken") },
	} {
		if err := docker.WriteLog(t.Context(), path, write); err != nil {
			t.Error(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := docker.WriteLog(over, path, func(io.Writer) error { return over.Err() }); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	if err := docker.WriteLog(t.Context(), filepath.Join(path, "below"), nil); err == nil {
		t.Error("no error where there can be no file")
	}
}

func TestLogs(t *testing.T) {
	dockertest.Script(t, dockertest.Answer{Args: "logs --tail 12 a1", Stdout: "one\n", Stderr: "two\n"},
		dockertest.Answer{Args: "logs --tail all a1", Stderr: "Error: No such container: a1\n", Code: 1})
	var said strings.Builder
	if err := docker.Logs(t.Context(), "a1", 12, &said); err != nil || said.String() != "one\ntwo\n" {
		t.Errorf("%q, %v", said.String(), err)
	}
	if err := docker.Logs(t.Context(), "a1", 0, &said); err == nil {
		t.Error("no error where there is no container")
	}
}

func TestDisconnect(t *testing.T) {
	for words, want := range map[string]string{
		"Error response from daemon: container a1 is not connected to network n": "", "Error: No such container: a1": "",
		"Error response from daemon: network is stuck": "stuck",
	} {
		dockertest.Script(t, dockertest.Answer{Args: "network disconnect --force n a1", Stderr: words, Code: 1})
		check(t, docker.Disconnect(t.Context(), "n", "a1"), want, "")
	}
}
