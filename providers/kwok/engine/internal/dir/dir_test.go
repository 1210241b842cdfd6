package dir_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/dir"
)

// Every test here changes the working directory, so none is parallel.

// holdLock, in the environment, makes this program hold the lock until its input ends.
const holdLock = "LAB_TEST_HOLD_LOCK"

func TestMain(m *testing.M) {
	if os.Getenv(holdLock) != "" {
		if _, err := dir.Lock(); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("held")
		bufio.NewReader(os.Stdin).ReadByte()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestEnter(t *testing.T) {
	const good = `{"apiVersion":"lab/v1alpha1","kind":"EngineConfig","name":"demo","controlPlane":"demo-control-plane","workers":2}`
	prefixed := strings.Replace(good, `"workers"`, `"nodePrefix":"source","workers"`, 1)
	tests := map[string]struct {
		text   string
		want   string // what the error says, or "" for none
		prefix string // of the names of the other nodes, where there is no error
	}{
		"good":             {good, "", "demo"},
		"another prefix":   {prefixed, "", "source"},
		"no file":          {"", "engine.json: no such file", ""},
		"not JSON":         {"{", "engine.json: unexpected end", ""},
		"another version":  {strings.Replace(good, "v1alpha1", "v9", 1), "not an EngineConfig of lab/v1alpha1", ""},
		"another kind":     {strings.Replace(good, "EngineConfig", "Lab", 1), "not an EngineConfig", ""},
		"no name":          {strings.Replace(good, `"demo"`, `""`, 1), "must have a name", ""},
		"negative workers": {strings.Replace(good, "2}", "-2}", 1), "-2 workers", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			if test.text != "" {
				write(t, dir.ConfigFile, test.text)
			}
			config, err := dir.Enter(".")
			if test.want != "" {
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Fatalf("got %v, want %q", err, test.want)
				}
				return
			}
			want := dir.Config{APIVersion: "lab/v1alpha1", Kind: "EngineConfig", Name: "demo", ControlPlane: "demo-control-plane", NodePrefix: test.prefix, Workers: 2}
			if diff := cmp.Diff(want, config); diff != "" || err != nil {
				t.Errorf("error %v (-want +got)\n%s", err, diff)
			}
			if info, err := os.Stat("."); err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("directory is %v, %v", info.Mode(), err)
			}
		})
	}
}

func TestStatusSurvives(t *testing.T) {
	t.Chdir(t.TempDir())
	if s, err := dir.ReadStatus(); err != nil || s != (dir.Status{}) {
		t.Errorf("without a file: %v, %v", s, err)
	}
	want := dir.Status{Phase: dir.Ready, PID: 1, APIPort: 2, KubernetesVersion: "v1.2.3", EverReady: true, StartedAt: time.Unix(5, 0).UTC()}
	for range 2 { // the second replaces the first
		if err := dir.WriteStatus(want); err != nil {
			t.Fatal(err)
		}
	}
	got, err := dir.ReadStatus()
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("error %v (-want +got)\n%s", err, diff)
	}
	if info, err := os.Stat(dir.StatusFile); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if entries, err := os.ReadDir("."); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	write(t, dir.StatusFile, "garbage")
	if _, err := dir.ReadStatus(); err == nil {
		t.Error("garbage was read")
	}
}

func TestLockKeepsOthersOutAndEndsWithItsHolder(t *testing.T) {
	t.Chdir(t.TempDir())
	holder := exec.Command(os.Args[0])
	holder.Env = append(os.Environ(), holdLock+"=1")
	stdin, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "held\n" {
		t.Fatalf("holder says %q, %v", line, err)
	}

	_, err = dir.Lock()
	if !errors.Is(err, dir.ErrLocked) || !strings.Contains(err.Error(), fmt.Sprint(holder.Process.Pid)) {
		t.Errorf("got %v, want ErrLocked by %d", err, holder.Process.Pid)
	}
	holder.Process.Kill()
	holder.Wait()
	lock, err := dir.Lock()
	if err != nil {
		t.Fatalf("after its holder was killed: %v", err)
	}
	lock.Close()
}

func TestAwaitRemoval(t *testing.T) {
	remove := func(t *testing.T) {
		path, err := os.Getwd()
		if err := errors.Join(err, os.RemoveAll(path)); err != nil {
			t.Error(err)
		}
	}
	replace := func(t *testing.T) {
		write(t, "other", "")
		if err := os.Rename("other", dir.LockFile); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		change func(t *testing.T)
		want   error
	}{
		"unchanged":         {func(*testing.T) {}, nil},
		"directory removed": {remove, dir.ErrRemoved},
		"lock replaced":     {replace, dir.ErrRemoved},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			lock, err := dir.Lock()
			if err != nil {
				t.Fatal(err)
			}
			defer lock.Close()
			synctest.Test(t, func(t *testing.T) {
				change := time.AfterFunc(10*time.Second, func() { test.change(t) })
				defer change.Stop()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				begun := time.Now()
				if err := dir.AwaitRemoval(ctx, lock); !errors.Is(err, test.want) {
					t.Errorf("%v, want %v", err, test.want)
				}
				if took := time.Since(begun); test.want != nil && (took < 10*time.Second || took > 11*time.Second) {
					t.Errorf("noticed after %s", took)
				}
			})
		})
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
