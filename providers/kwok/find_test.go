//go:build linux || darwin

package kwok

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	file := func(mode os.FileMode, content string) string {
		path := filepath.Join(t.TempDir(), engineName)
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, tt := range []struct{ name, engine, says, hint string }{
		{"missing", filepath.Join(t.TempDir(), engineName), "no such file", "make install"},
		{"a directory", t.TempDir(), "is a directory", "make install"},
		{"not executable", file(0o600, ""), "not executable", "chmod +x /"},
		{"of another machine", file(0o700, "\x7fELF of some sort"), "exec format error", "make install"},
		{"crashing at once", fakeEngine(t, "crash"), "exit status 2: runtime: cannot allocate memory", "make install"},
		{"another program", fakeEngine(t, "mumble"), "does not print its version", "make install"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := New(Options{Engine: tt.engine}).Check(t.Context(), providers.Spec{})
			if !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error is %v, want ErrUnavailable with %q", err, tt.says)
			}
			if strings.Count(err.Error(), tt.engine) > 1 {
				t.Errorf("error names the program more than once: %v", err)
			}
			if hint := fault.HintOf(err); !strings.Contains(hint, tt.hint) {
				t.Errorf("hint is %q, want one with %q", hint, tt.hint)
			}
		})
	}
	t.Run("another version", func(t *testing.T) {
		t.Parallel()
		p := New(Options{Engine: fakeEngine(t, "good")})
		if err := p.Check(t.Context(), providers.Spec{KubernetesVersion: "v1.37.2"}); err != nil {
			t.Errorf("its own version: %v", err)
		}
		err := p.Check(t.Context(), providers.Spec{KubernetesVersion: "v1.37.9"})
		if !errors.Is(err, fault.ErrUnsupported) || !strings.Contains(err.Error(), "contains Kubernetes v1.37.2, not v1.37.9") {
			t.Errorf("error is %v, want ErrUnsupported with both versions", err)
		}
	})
	t.Run("interrupted", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := New(Options{Engine: fakeEngine(t, "good")}).Check(ctx, providers.Spec{}); !errors.Is(err, context.Canceled) {
			t.Errorf("error is %v, want %v", err, context.Canceled)
		}
	})
}

func TestFindEngine(t *testing.T) {
	onPath, inBin := fakeEngine(t, "path"), fakeEngine(t, "bin")
	t.Setenv("PATH", filepath.Dir(onPath))
	p := New(Options{BinDirs: []string{filepath.Join(t.TempDir(), "none"), filepath.Dir(inBin)}})
	if got, err := p.findEngine(); got != onPath || err != nil {
		t.Errorf("found %q, %v; want the one on PATH, %q", got, err, onPath)
	}
	t.Setenv("PATH", t.TempDir())
	if got, err := p.findEngine(); got != inBin || err != nil {
		t.Errorf("found %q, %v; want the one of BinDirs, %q", got, err, inBin)
	}
	_, err := New(Options{}).findEngine()
	if !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(fault.HintOf(err), "make install") {
		t.Errorf("where there is none: %v (%s)", err, fault.HintOf(err))
	}
}

func TestFindEngineBesideLab(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if first, want := New(Options{}).candidates()[0], filepath.Join(filepath.Dir(self), engineName); first != want {
		t.Errorf("looks first for %s, want %s", first, want)
	}
}

func TestEnvironment(t *testing.T) {
	t.Setenv("KUBECONFIG", "/of/the/user")
	t.Setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
	t.Setenv("HTTPS_PROXY", "http://proxy")
	t.Setenv("TMPDIR", "/some/tmp")
	env := environment()
	if !slices.Contains(env, "TMPDIR=/some/tmp") {
		t.Errorf("TMPDIR is not passed on: %q", env)
	}
	for _, variable := range env {
		if name, _, _ := strings.Cut(variable, "="); !slices.Contains([]string{"HOME", "PATH", "TMPDIR", "TZ"}, name) {
			t.Errorf("engines get %s", variable)
		}
	}
}

func TestCheckNative(t *testing.T) {
	t.Parallel()
	p := New(Options{Engine: fakeEngine(t, "good")})
	if err := p.Check(t.Context(), providers.Spec{Native: []byte("kind: Policy")}); err != nil {
		t.Errorf("a good configuration: %v", err)
	}
	err := p.Check(t.Context(), providers.Spec{Native: []byte("options: {kubeFeatureGates: Nope=true}")})
	if !errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), "unrecognized feature gate: Nope") || fault.HintOf(err) == "" {
		t.Errorf("error is %v, want ErrInvalid with the engine's words and a hint", err)
	}
}
