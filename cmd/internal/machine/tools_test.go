package machine_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/addons/download"
	"github.com/clusterlab-dev/lab/cmd/internal/doctor"
	"github.com/clusterlab-dev/lab/cmd/internal/labtest"
	"github.com/clusterlab-dev/lab/cmd/internal/machine"
	"github.com/clusterlab-dev/lab/cmd/internal/tools"
	"github.com/clusterlab-dev/lab/cmd/internal/tools/toolstest"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// newTools returns tools whose releases are on a server that answers with a status,
// and in a directory. onPath are programs on PATH, and what they print.
func newTools(t *testing.T, status int, onPath map[string]string) (b *machine.Tools, releases string, asked *atomic.Int32) {
	t.Helper()
	bench := labtest.New(t, nil)
	b, asked = &machine.Tools{Inventory: bench.Inventory}, &atomic.Int32{}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	catalog, files, err := toolstest.Releases(server.URL, "linux/amd64")
	if err != nil {
		t.Fatal(err)
	}
	releases = t.TempDir()
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(releases, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b.Installer = tools.Installer{
		Dir: filepath.Join(bench.Home, "bin"), Platform: "linux/amd64",
		Catalog: func() (tools.Catalog, error) { return catalog, nil },
		Client: func([]byte) (download.Client, error) {
			return download.Client{HTTP: server.Client(), Pause: time.Microsecond}, nil
		},
	}
	b.Machine = machineWith(onPath)
	return b, releases, asked
}

func machineWith(onPath map[string]string) doctor.Machine {
	return doctor.Machine{
		Getenv: func(string) string { return "/usr/bin" },
		LookPath: func(name string) (string, error) {
			if _, ok := onPath[name]; ok {
				return "/usr/bin/" + name, nil
			}
			return "", os.ErrNotExist
		},
		Run: func(_ context.Context, path string, args ...string) ([]byte, error) {
			if args[0] != "version" {
				return nil, errors.New("unexpected arguments")
			}
			return []byte(onPath[filepath.Base(path)]), nil
		},
	}
}

// TestTools checks what lab shows of tools that are installed and of others.
func TestTools(t *testing.T) {
	t.Parallel()
	b, releases, _ := newTools(t, 200, map[string]string{"kubectl": "Client Version: v1.32.4\n", "k9s": "no version"})
	if _, err := b.Install(t.Context(), []string{"k9s"}, releases, nil, nil); err != nil {
		t.Fatal(err)
	}
	list, err := b.List(t.Context())
	if err != nil || list.Kind != "ToolList" || list.Directory != b.Installer.Dir || list.OnPath {
		t.Errorf("%+v, %v", list, err)
	}
	var got []string
	for _, tool := range list.Items {
		if !strings.HasPrefix(tool.URL, "https://127.0.0.1") || len(tool.SHA256) != 64 {
			t.Errorf("%s: %q, %q", tool.Name, tool.URL, tool.SHA256)
		}
		got = append(got, strings.Join(append([]string{tool.Name, tool.Installed, tool.Path}, tool.Notes...), ", "))
	}
	want := []string{
		"kubectl, v1.32.4, /usr/bin/kubectl, v1.32.4 is too far from v1.37.0 to work well with new clusters",
		"helm, , ",
		"k9s, v1.37.0, " + b.Installer.Path("k9s") + ", your shell finds another one first: /usr/bin/k9s",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	b.Installer.Platform = "plan9/mips"
	list, err = b.List(t.Context(), "helm")
	if err != nil || len(list.Items) != 1 || list.Items[0].URL != "" || !strings.Contains(list.Items[0].Notes[0], "plan9/mips") {
		t.Errorf("%+v, %v", list.Items, err)
	}
}

// TestInstallContinues: the failure of one tool does not keep lab from installing the others, but lab
// waits for a broken network only once.
func TestInstallContinues(t *testing.T) {
	t.Parallel()
	for status, tt := range map[int]struct {
		kind  error
		asked int32
	}{
		404: {fault.ErrNotFound, 3},
		503: {fault.ErrUnavailable, 5}, // all for the first tool
	} {
		b, _, asked := newTools(t, status, nil)
		var failed []string
		report := func(e event.Event) {
			if e.State == event.Failed {
				failed = append(failed, e.Step)
			}
		}
		_, err := b.Install(t.Context(), nil, "", nil, report)
		if !errors.Is(err, tt.kind) || asked.Load() != tt.asked {
			t.Errorf("%d: %v, asked %d times, failed %q", status, err, asked.Load(), failed)
		}
	}
	b, releases, asked := newTools(t, 200, nil)
	if _, err := b.Install(t.Context(), []string{"k9s", "nope"}, releases, nil, nil); !errors.Is(err, fault.ErrNotFound) {
		t.Error(err)
	}
	if version, err := b.Installer.Held(tools.Tool{Name: "k9s"}); version != "" || err != nil || asked.Load() > 0 {
		t.Errorf("it was begun: %q, %v", version, err)
	}
}

// TestRemoveTools: without names, remove skips tools that lab did not install.
func TestRemoveTools(t *testing.T) {
	t.Parallel()
	b, releases, _ := newTools(t, 200, nil)
	list, err := b.Install(t.Context(), nil, releases, nil, nil)
	if err != nil || !list.Items[0].New || !list.Items[2].New {
		t.Fatalf("%+v, %v", list, err)
	}
	if list, err = b.Install(t.Context(), nil, releases, nil, nil); err != nil || list.Items[0].New {
		t.Errorf("again: %+v, %v", list, err)
	}
	if err := os.WriteFile(b.Installer.Path("helm"), []byte("mine"), 0o755); err != nil {
		t.Fatal(err)
	}
	removed, err := b.Remove(nil)
	if diff := cmp.Diff([]string{"kubectl", "k9s"}, removed); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	for name, kind := range map[string]error{"helm": fault.ErrForeign, "k9s": fault.ErrNotFound, "nope": fault.ErrNotFound} {
		if _, err := b.Remove([]string{name}); !errors.Is(err, kind) {
			t.Errorf("%s: %v, want %v", name, err, kind)
		}
	}
}

func TestPathCommand(t *testing.T) {
	t.Parallel()
	l := machine.Tools{Installer: tools.Installer{Dir: "DIR"}}
	if got := l.PathCommand(); !strings.HasPrefix(got, `export PATH="DIR:$PATH"`) {
		t.Error(got)
	}
	l.Machine.OS = "windows"
	if got := l.PathCommand(); got != `$env:Path = "DIR;$env:Path"` {
		t.Error(got)
	}
}
