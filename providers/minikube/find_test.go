//go:build !windows

package minikube

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker/dockertest"
)

func TestCheck(t *testing.T) {
	version := func(v string) answer {
		return answer{Args: "version --output=json", Stdout: `{"minikubeVersion":"` + v + `"}`}
	}
	absent := answer{Args: "image inspect", Stderr: "Error: No such image: x", Code: 1}
	for name, test := range map[string]struct {
		minikube, image answer
		says, hint      string
	}{
		"good":        {version("v1.32.0"), answer{Args: "image", Stdout: "sha256:1"}, "", ""},
		"old":         {version("v1.31.2"), answer{}, "is minikube v1.31.2, but lab requires v1.32 or newer", "install a newer version"},
		"newest":      {version("v2.0.0-beta.1"), answer{Args: "image", Stdout: "sha256:1"}, "", ""},
		"garbage":     {answer{Args: "version", Stdout: "hello"}, answer{}, "it does not report its version", "version"},
		"a word":      {version("unknown"), answer{}, `unexpected version "unknown"`, "version"},
		"crash":       {answer{Args: "version", Stderr: "cannot allocate memory", Code: 2}, answer{}, "exit status 2: cannot allocate memory", "version"},
		"no image":    {version("v1.38.1"), absent, "the node image 127.0.0.1:1/base:v1 is not on this machine", "LAB_IMAGES_MINIKUBE_BASE"},
		"no registry": {version("v1.38.1"), absent, "its registry cannot be reached", "docker pull 127.0.0.1:1/base:v1"},
	} {
		t.Run(name, func(t *testing.T) {
			dockertest.Script(t, answer{Args: "info", Stdout: "28.0.0 2"}, test.image)
			p := New(Options{Program: dockertest.Program(t, programName, test.minikube).Path(), BaseImage: "127.0.0.1:1/base:v1", Dir: t.TempDir()})
			err := p.Check(t.Context(), providers.Spec{})
			if test.says == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(err.Error(), test.says) || !strings.Contains(fault.HintOf(err), test.hint) {
				t.Errorf("%v (hint %q), want %q and %q", err, fault.HintOf(err), test.says, test.hint)
			}
		})
	}
}

// TestVersionLeavesNothing checks that asking for the version does not create minikube's home.
func TestVersionLeavesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), programName)
	script := "#!/bin/sh\nmkdir -p \"${MINIKUBE_HOME:-$HOME/.minikube}/certs\"\necho '{\"minikubeVersion\":\"v1.38.1\"}'\n"
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	home, tmp := t.TempDir(), t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("TMPDIR", tmp)
	p := New(Options{Program: path, Dir: t.TempDir()})
	if version, err := p.runner.askVersion(t.Context(), path); err != nil || version != "v1.38.1" {
		t.Errorf("version %q, %v", version, err)
	}
	for _, dir := range []string{home, tmp} {
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("in %s: %v, %v", dir, left, err)
		}
	}
}

// TestCheckOfOtherDrivers checks that no engine is required if nodes are not containers.
func TestCheckOfOtherDrivers(t *testing.T) {
	p, _ := scripted(t)
	dockertest.None(t)
	if err := p.Check(t.Context(), providers.Spec{Driver: "kvm2"}); err != nil {
		t.Error(err)
	}
	if err := p.Check(t.Context(), providers.Spec{}); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("without docker: %v", err)
	}
}

// TestCheckOwnImage checks that any image of minikube's own repository suffices: only minikube
// knows which it uses.
func TestCheckOwnImage(t *testing.T) {
	p, _ := scripted(t)
	dockertest.Script(t, answer{Args: "info", Stdout: "28.0.0 2"}, answer{Args: "image ls --format {{.Tag}} " + ownRepository, Stdout: "v0.0.50\n"})
	if err := p.Check(t.Context(), providers.Spec{}); err != nil {
		t.Error(err)
	}
}

func TestFindProgram(t *testing.T) {
	place := func(name string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	users, built, inBin := place(programName), place(builtName), place(builtName)
	p := New(Options{BinDirs: []string{t.TempDir(), filepath.Dir(inBin)}})
	none := t.TempDir()
	for path, want := range map[string]string{
		filepath.Dir(built) + ":" + filepath.Dir(users): users,
		none: inBin,
	} {
		t.Setenv("PATH", path)
		if got, err := p.runner.findProgram(); got != want || err != nil {
			t.Errorf("found %q, %v; want %q", got, err, want)
		}
	}
	t.Setenv("PATH", filepath.Dir(built))
	if got, err := New(Options{}).runner.findProgram(); got != built || err != nil {
		t.Errorf("found %q, %v; want the one on PATH", got, err)
	}
	t.Setenv("PATH", none)
	if _, err := New(Options{}).runner.findProgram(); !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(fault.HintOf(err), "minikube") {
		t.Errorf("where there is none: %v", err)
	}
}

// TestVersionIsAskedOnce checks that the version is cached: one `lab up` needs it three times,
// and minikube is slow.
func TestVersionIsAskedOnce(t *testing.T) {
	p, tool := scripted(t)
	for range 3 {
		if found, err := p.runner.program(t.Context()); err != nil || found.version != (version{1, 38}) {
			t.Fatalf("%+v, %v", found, err)
		}
	}
	if calls := tool.Calls(t); len(calls) != 1 {
		t.Errorf("it was asked %q", calls)
	}
	p.runner.opts.Program = dockertest.Program(t, programName, answer{Args: "version", Stdout: `{"minikubeVersion":"v1.33.0"}`}).Path()
	if found, err := p.runner.program(t.Context()); err != nil || found.version != (version{1, 33}) {
		t.Errorf("another minikube: %+v, %v", found, err)
	}
}
