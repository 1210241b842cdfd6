package learning

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/providers/fault"
)

func file(t *testing.T, content string) progressFile {
	t.Helper()
	path := filepath.Join(t.TempDir(), "learning", "progress.jsonl")
	if content == "" {
		return progressFile{path}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return progressFile{path}
}

const header = `{"apiVersion":"lab/v1alpha1","kind":"Progress"}` + "\n"

func TestProgress(t *testing.T) {
	t.Parallel()
	p := file(t, "")
	for _, e := range []record{
		{Event: eventStarted, Pack: "p", Exercise: "one", Cluster: "lab"},
		{Event: eventHint, Pack: "p", Exercise: "one", Check: "a", Hint: "b"},
		{Event: eventHint, Pack: "p", Exercise: "one", Check: "a", Hint: "b"},
		{Event: eventPassed, Pack: "p", Exercise: "one"},
		{Event: eventHalf, Pack: "p", Exercise: "one"}, // on another cluster: it stays passed
		{Event: eventStarted, Pack: "p", Exercise: "two", Cluster: "other"},
	} {
		if err := p.append(e); err != nil {
			t.Fatal(err)
		}
	}
	h, err := p.history()
	if err != nil {
		t.Fatal(err)
	}
	if h.current != "p/two" || h.of("p", "two").cluster != "other" || h.of("p", "three").state != StateNew {
		t.Errorf("current %q, cluster %q", h.current, h.of("p", "two").cluster)
	}
	want := map[string]int{"a/b": 2}
	if one := h.of("p", "one"); one.state != StatePassed || cmp.Diff(want, one.seen) != "" {
		t.Errorf("%+v", one)
	}
	info, err := os.Stat(p.path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// TestProgressDamaged checks that damaged lines are skipped, and that new ones are still readable.
func TestProgressDamaged(t *testing.T) {
	t.Parallel()
	const passed = `{"event":"passed","pack":"p","exercise":"one"}` + "\n"
	for name, content := range map[string]string{
		"cut":     header + passed + `{"event":"star`,
		"zeros":   header + passed + "\x00\x00\x00\x00",
		"middle":  header + "{{{\n" + passed,
		"foreign": header + passed + `{"event":"passed"}` + "\n",
	} {
		p := file(t, content)
		if err := p.append(record{Event: eventStarted, Pack: "p", Exercise: "two"}); err != nil {
			t.Fatal(err)
		}
		h, err := p.history()
		if err != nil || h.skipped != 1 || h.of("p", "one").state != StatePassed || h.current != "p/two" {
			t.Errorf("%s: %+v, %v", name, h, err)
		}
		if h.skippedWarning(p.path) == "" {
			t.Errorf("%s: no warning", name)
		}
	}
}

// TestProgressOfNewerLab checks that a file in another format is neither used nor changed.
func TestProgressOfNewerLab(t *testing.T) {
	t.Parallel()
	p := file(t, strings.Replace(header, "v1alpha1", "v2", 1))
	_, err := p.history()
	if !errors.Is(err, fault.ErrInvalid) || !strings.Contains(fault.HintOf(err), "upgrade lab") {
		t.Errorf("%v, hint %q", err, fault.HintOf(err))
	}
}
