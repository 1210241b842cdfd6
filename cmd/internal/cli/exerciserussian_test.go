package cli

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/exercises"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// TestTranslationsExist checks that each translation is of a text that the sources still have, and has its verbs.
func TestTranslationsExist(t *testing.T) {
	t.Parallel()
	var sources strings.Builder
	for _, dir := range []string{".", "../learning", "../inventory", "../state", "../packs", "../../../exercises", "../../../exercises/live"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %d files", dir, err, len(files))
		}
		for _, file := range files {
			if file == "exerciserussian.go" {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			sources.Write(text)
		}
	}
	// A name of a cluster can be followed by a digit, and an error is a string here.
	all := regexp.MustCompile(`%(\[1\])?[swv]2?`).ReplaceAllString(sources.String(), "%s")
	for _, text := range slices.Concat(russianSteps(), russianErrors()) {
		if !strings.Contains(all, strings.TrimSuffix(text.english, "%s")) {
			t.Errorf("the sources do not have %q", text.english)
		}
		if english, other := verb().FindAllString(text.english, -1), verb().FindAllString(text.other, -1); !slices.Equal(english, other) {
			t.Errorf("%q has the verbs %q, and its translation %q", text.english, english, other)
		}
	}
}

func TestInRussian(t *testing.T) {
	t.Parallel()
	err := fault.Errorf(fault.ErrUnsupported, "exercise %s needs %d nodes, and cluster %q has %d", "daemonset", 2, "lab", 1)
	err = inRussian(fault.WithHint(err, "create another cluster: lab up lab2 --workers 1; then: lab exercise start daemonset --name lab2"))
	if got, want := err.Error(), `упражнению daemonset нужны узлы: 2, а в кластере "lab" их 1`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := fault.HintOf(err), "создайте другой кластер: lab up lab2 --workers 1; потом: lab exercise start daemonset --name lab2"; got != want {
		t.Errorf("hint %q, want %q", got, want)
	}
	if !errors.Is(err, fault.ErrUnsupported) {
		t.Error("the error lost its kind")
	}
	err = inRussian(fault.WithHint(errors.New("disk full"), "start it: lab start lab\nfree some space"))
	if got, want := fault.HintOf(err), "запустите его: lab start lab\nfree some space"; got != want {
		t.Errorf("hint %q, want %q", got, want)
	}
	if got, want := inRussian(usage("%s accepts one exercise, received %d: %q", "lab exercise check", 2, []string{"a", "b"})).Error(),
		`lab exercise check принимает одно упражнение, получено 2: ["a" "b"]`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	inner := `cluster "lab" was deleted while exercise tour was watched: there is no cluster "lab"`
	if got, want := inRussian(errors.New(inner)).Error(), `кластер "lab" удалили, пока шло наблюдение за упражнением tour: кластера "lab" нет`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := inRussian(errors.New("disk full")).Error(); got != "disk full" {
		t.Errorf("an error without translation is %q", got)
	}
}

// TestReportFitsNarrowTerminals checks that the results of all exercises fit on 40 columns, except commands, which must
// not be broken, and that NO_COLOR leaves no escape codes.
func TestReportFitsNarrowTerminals(t *testing.T) {
	t.Parallel()
	pack, err := exercises.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	const width = 40
	for _, lang := range pack.Languages {
		l := lesson{Pack: pack, lang: lang, words: phrasesOf(lang)}
		for _, e := range pack.Exercises {
			report := ExerciseReport{Title: e.Texts[lang].Title, Holding: true}
			for _, c := range e.Checks {
				report.Checks = append(report.Checks, ExerciseCheck{Wanted: e.Texts[lang].Checks[c.ID.Value].Wanted, State: string(exercises.Failed), Found: "a b"})
			}
			streams, out, _ := ui.Test(width, map[string]string{"TERM": "xterm", "LANG": "en_US.UTF-8", "NO_COLOR": "1"})
			if err := ui.PrintView(streams.Out, l.reportView(report)); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(out.String()) {
				if text := []rune(strings.TrimRight(line, "\n")); len(text) > width && strings.Contains(strings.TrimSpace(string(text)), " ") || strings.Contains(line, "\x1b") {
					t.Errorf("%s/%s: %q", e.Name, lang, line)
				}
			}
		}
	}
}
