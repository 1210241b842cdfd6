package tools_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/cmd/internal/tools"
	"github.com/clusterlab-dev/lab/cmd/internal/tools/toolstest"
	"github.com/clusterlab-dev/lab/providers/fault"
)

func TestFailedDownloadLeavesNothing(t *testing.T) {
	t.Parallel()
	for what, tt := range map[string]struct {
		spoil func(*bench)
		kind  error
		words []string // in the error or its hint
	}{
		"gone":      {func(b *bench) { delete(b.files, "helm.tar.gz") }, fault.ErrNotFound, []string{"404", "copy helm.tar.gz to a directory: lab tools install --from DIR"}},
		"too many":  {func(b *bench) { b.answers = []int{429, 429, 429, 429, 429} }, fault.ErrUnavailable, []string{"429", "try again later; without a network"}},
		"broken":    {func(b *bench) { b.answers = []int{500, 502, 503, 500, 500} }, fault.ErrUnavailable, []string{"500"}},
		"no access": {func(b *bench) { b.answers = []int{http.StatusUnauthorized} }, fault.ErrUnavailable, []string{"401"}},
		"a portal":  {func(b *bench) { b.files["helm.tar.gz"] = []byte("<html>") }, fault.ErrForeign, []string{"its SHA-256 is b7d082ee12e91b756ea22e8513b8594eebcf5d39fab813da3cb55794dc888ad7, not ", "cannot install https://"}},
		"cut off":   {func(b *bench) { b.files["helm.tar.gz"] = b.files["helm.tar.gz"][:30] }, fault.ErrForeign, []string{"its SHA-256 is"}},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			tt.spoil(b)
			_, err := b.install("helm")
			if !errors.Is(err, tt.kind) {
				t.Fatalf("%v, want %v", err, tt.kind)
			}
			for _, word := range tt.words {
				if text := err.Error() + " " + fault.HintOf(err); !strings.Contains(text, word) {
					t.Errorf("%q is not in %q", word, text)
				}
			}
			b.empty()
		})
	}
}

func TestDownloadIsRetried(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.answers = []int{503, 429}
	if _, err := b.install("k9s"); err != nil || b.requests() != 3 {
		t.Errorf("%v, after %d requests", err, b.requests())
	}
}

func TestCancelLeavesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx, cancel := context.WithCancel(t.Context())
	var moved []string
	_, err := b.Install(ctx, b.tool("helm"), tools.Network(b.client), func(m string) {
		moved = append(moved, m)
		cancel() // during the download
	})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if len(moved) == 0 || !strings.Contains(moved[0], " B of ") {
		t.Errorf("the progress is %q", moved)
	}
	b.empty()
}

// The release may have its original name or another that begins with the tool's.
func TestInstallFromDirectory(t *testing.T) {
	t.Parallel()
	for name, found := range map[string]bool{"helm.tar.gz": true, "helm (1).tar.gz": true, "Helm-linux.tgz": true, "other.tar.gz": false} {
		b := newBench(t)
		dir := t.TempDir()
		for file, data := range map[string][]byte{name: b.files["helm.tar.gz"], "helm-notes.txt": []byte("text")} {
			if err := os.WriteFile(filepath.Join(dir, file), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Mkdir(filepath.Join(dir, "helm"), 0o700); err != nil {
			t.Fatal(err)
		}
		_, err := b.Install(t.Context(), b.tool("helm"), tools.Directory(dir), nil)
		if found != (err == nil) || !found && (!errors.Is(err, fault.ErrNotFound) || !strings.Contains(fault.HintOf(err), "/helm.tar.gz")) {
			t.Errorf("%s: %v, hint %q", name, err, fault.HintOf(err))
		}
		if held, err := b.Held(b.tool("helm")); (held == toolstest.Version) != found {
			t.Errorf("%s: %q, %v", name, held, err)
		}
		if b.requests() > 0 {
			t.Errorf("%s: a server was asked", name)
		}
	}
}

func TestInstallFromDirectoryFails(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "helm.tar.gz"), b.files["helm.tar.gz"][:20], 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := b.Install(t.Context(), b.tool("helm"), tools.Directory(dir), nil)
	if !errors.Is(err, fault.ErrForeign) || !strings.Contains(err.Error(), filepath.Join(dir, "helm.tar.gz")) {
		t.Errorf("cut off: %v", err)
	}
	_, err = b.Install(t.Context(), b.tool("helm"), tools.Directory(filepath.Join(dir, "none")), nil)
	if !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("no directory: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Install(ctx, b.tool("helm"), tools.Directory(dir), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	b.empty()
}
