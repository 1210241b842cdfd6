package steps

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fake creates steps that record their order.
type fake struct {
	mu   sync.Mutex
	made []string
}

func (f *fake) step(name, inputs, product string, needs ...string) Step {
	return Step{
		Name: name, Needs: needs, Lane: name,
		Inputs:  func() (string, error) { return inputs, nil },
		Present: func(context.Context, string) bool { return true },
		Make: func(context.Context, string, io.Writer) (string, error) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.made = append(f.made, name)
			return product, nil
		},
	}
}

func (f *fake) take() []string {
	made := f.made
	f.made = nil
	slices.Sort(made)
	return made
}

func TestRunRebuildsWhatChanged(t *testing.T) {
	t.Parallel()
	dir, f := t.TempDir(), &fake{}
	run := func(steps ...Step) []string {
		t.Helper()
		if err := (Runner{Dir: dir, Progress: io.Discard}).Run(t.Context(), steps); err != nil {
			t.Fatal(err)
		}
		return f.take()
	}
	program, image := f.step("program", "source 1", "binary-1"), f.step("image", "", "image-1", "program")
	for _, tt := range []struct {
		name  string
		steps []Step
		want  []string
	}{
		{"first", []Step{image, program}, []string{"image", "program"}},
		{"again", []Step{image, program}, nil},
		{"an edit that changes nothing stops at the program", []Step{image, f.step("program", "source 2", "binary-1")}, []string{"program"}},
		{"an edit that changes the program rebuilds the image", []Step{image, f.step("program", "source 3", "binary-2")}, []string{"image", "program"}},
	} {
		if diff := cmp.Diff(tt.want, run(tt.steps...)); diff != "" {
			t.Errorf("%s: made (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestRunRebuildsMissingProducts(t *testing.T) {
	t.Parallel()
	dir, f := t.TempDir(), &fake{}
	step := f.step("image", "", "image")
	for range 2 {
		step.Present = func(context.Context, string) bool { return false }
		if err := (Runner{Dir: dir, Progress: io.Discard}).Run(t.Context(), []Step{step}); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"image", "image"}, f.take()); diff != "" {
		t.Errorf("made (-want +got):\n%s", diff)
	}
}

func TestRunStopsAtFailure(t *testing.T) {
	t.Parallel()
	dir, f := t.TempDir(), &fake{}
	broken := f.step("program", "", "")
	failure := errors.New("no compiler")
	broken.Make = func(_ context.Context, _ string, log io.Writer) (string, error) {
		io.WriteString(log, "compiler output")
		return "", failure
	}
	err := Runner{Dir: dir, Progress: io.Discard}.Run(t.Context(), []Step{broken, f.step("image", "", "", "program")})
	log := filepath.Join(dir, "logs", "program.log")
	if !errors.Is(err, failure) || !strings.Contains(err.Error(), log) {
		t.Errorf("Run = %v, want %v and the path %s", err, failure, log)
	}
	if made := f.take(); len(made) > 0 {
		t.Errorf("made %v although their input failed", made)
	}
	if text, err := os.ReadFile(log); string(text) != "compiler output" {
		t.Errorf("log contains %q, %v", text, err)
	}
}

func TestRunRejectsUnknownNeeds(t *testing.T) {
	t.Parallel()
	f := &fake{}
	err := Runner{Dir: t.TempDir(), Progress: io.Discard}.Run(t.Context(), []Step{f.step("image", "", "", "nothing")})
	if err == nil || !strings.Contains(err.Error(), "nothing") {
		t.Errorf("Run = %v, want an error that names the missing step", err)
	}
}
