//go:build e2e && unix

package kwok

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// lecturePack is the builtin pack.
const lecturePack = "../../exercises/lecture"

// lesson is the content of an exercise that a mutation changes.
type lesson struct {
	dir    string
	file   map[string]any // exercise.yaml
	checks []map[string]any
	wrong  []map[string]any
}

// mutations returns for each kind of mutation a function that applies it to the i-th item of an exercise. It returns false
// if there is no such item, and "" if the mutation cannot be noticed on simulated containers; else it returns words of the
// problem that verify must report.
func mutations() map[string]func(t *testing.T, l *lesson, i int) (want string, ok bool) {
	return map[string]func(*testing.T, *lesson, int) (string, bool){
		"check inverted":    invertCheck,
		"check always true": passCheck,
		"hint inverted":     invertHint,
		"wrong answer":      solveWrong,
		"solution":          shortenSolution,
		"start":             shortenStart,
	}
}

// TestVerifyFindsMutations changes one thing in each exercise of the builtin pack at a time, and checks that verify
// reports it: whatever stays green is a check, a hint or an object that no answer needs. With -short, it tries only the
// first check and the first hint of three exercises.
func TestVerifyFindsMutations(t *testing.T) {
	t.Parallel()
	for kind, mutation := range mutations() {
		if testing.Short() && kind != "hint inverted" && kind != "check inverted" {
			continue
		}
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			for i := 0; i == 0 || !testing.Short(); i++ {
				if !verifyMutants(t, i, mutation) {
					return
				}
			}
		})
	}
}

// verifyMutants applies a mutation to the i-th item of all exercises, and verifies them. It returns false if no exercise
// has such an item.
func verifyMutants(t *testing.T, i int, mutation func(*testing.T, *lesson, int) (string, bool)) bool {
	dir := filepath.Join(t.TempDir(), "pack")
	if err := os.CopyFS(dir, os.DirFS(lecturePack)); err != nil {
		t.Fatal(err)
	}
	want, any := map[string]string{}, false
	for _, file := range glob(t, filepath.Join(dir, "*", "exercise.yaml")) {
		l := readLesson(t, filepath.Dir(file))
		words, ok := mutation(t, l, i)
		any = any || ok
		if name := filepath.Base(l.dir); testing.Short() && !slices.Contains([]string{"tour", "service", "stage-prod"}, name) {
			continue
		}
		if words != "" {
			want[filepath.Base(l.dir)] = words
		}
	}
	if len(want) == 0 {
		return any
	}
	names := strings.Join(slices.Sorted(maps.Keys(want)), ",")
	p := newUser(t)
	p.useCharts(upstream(t)) // exercises may need addons
	defer p.forgetCharts()
	got := p.Try("exercise", "verify", dir, "--flavor", "kwok", "--exercise", names, "--patience", "5s", "--fail-fast", "-o", "json")
	var report struct {
		Items []struct {
			Name     string
			Problems []string
		}
	}
	if err := json.Unmarshal([]byte(got.Stdout), &report); err != nil {
		t.Errorf("item %d: %v\n%s\n%s", i, err, got.Stdout, got.Stderr)
		return true
	}
	for _, item := range report.Items {
		if text := strings.Join(item.Problems, "\n"); !strings.Contains(text, want[item.Name]) {
			t.Errorf("exercise %s, item %d: verify does not report %q:\n%s", item.Name, i, want[item.Name], text)
		}
	}
	return true
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %v, %d files", pattern, err, len(files))
	}
	return files
}

func readLesson(t *testing.T, dir string) *lesson {
	t.Helper()
	l := &lesson{dir: dir}
	if err := yaml.Unmarshal([]byte(read(t, filepath.Join(dir, "exercise.yaml"))), &l.file); err != nil {
		t.Fatal(err)
	}
	l.checks, l.wrong = items(l.file["checks"]), items(l.file["wrong"])
	return l
}

// items returns a list of maps.
func items(v any) []map[string]any {
	list, _ := v.([]any)
	var all []map[string]any
	for _, item := range list {
		if m, ok := item.(map[string]any); ok {
			all = append(all, m)
		}
	}
	return all
}

// keep removes the answers that cannot notice a mutation, to save time: all valid ones but the solution, and the wrong ones
// for which some returns false. A pack needs two wrong answers.
func (l *lesson) keep(some func(w map[string]any) bool) {
	delete(l.file, "also")
	var kept, rest []any
	for _, w := range l.wrong {
		if some(w) {
			kept = append(kept, w)
		} else {
			rest = append(rest, w)
		}
	}
	if missing := 2 - len(kept); missing > 0 {
		kept = append(kept, rest[:missing]...)
	}
	l.file["wrong"] = kept
}

// write stores the changed exercise.yaml.
func (l *lesson) write(t *testing.T) {
	t.Helper()
	text, err := yaml.Marshal(l.file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(l.dir, "exercise.yaml"), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// skipped reports whether a check needs containers that run: verify on kwok cannot notice a change of it.
func (l *lesson) skipped(check map[string]any) bool {
	act, _ := check["act"].(map[string]any)
	if check["pods"] == true || act["traffic"] != nil {
		return true
	}
	for _, probe := range items(l.file["observe"]) {
		if get, list := probe["get"], probe["list"]; get != nil || list != nil {
			continue
		}
		if regexp.MustCompile(fmt.Sprintf(`\b%v\b`, probe["name"])).MatchString(fmt.Sprint(check["pass"])) {
			return true
		}
	}
	return false
}

// invertCheck makes a check pass if it failed. It omits checks that act: they wait until their condition is true once, and
// most inverted ones are true at some time during a change.
func invertCheck(t *testing.T, l *lesson, i int) (string, bool) {
	return l.pass(t, i, func(check map[string]any) string {
		if check["act"] != nil {
			return ""
		}
		return fmt.Sprintf("!(%s)", check["pass"])
	})
}

// passCheck makes a check always true. One that is right in the beginning and has no hints has no wrong answer.
func passCheck(t *testing.T, l *lesson, i int) (string, bool) {
	return l.pass(t, i, func(check map[string]any) string {
		if check["keep"] == true && check["hints"] == nil {
			return ""
		}
		return "true"
	})
}

func (l *lesson) pass(t *testing.T, i int, changed func(map[string]any) string) (string, bool) {
	if i >= len(l.checks) {
		return "", false
	}
	check := l.checks[i]
	expression := changed(check)
	if l.skipped(check) || expression == "" {
		return "", true
	}
	check["pass"] = expression
	l.keep(func(w map[string]any) bool { return w["check"] == check["id"] })
	l.write(t)
	return fmt.Sprintf("check %s ", check["id"]), true
}

func invertHint(t *testing.T, l *lesson, i int) (string, bool) {
	for _, check := range l.checks {
		for _, hint := range items(check["hints"]) {
			if hint["if"] == nil {
				continue
			}
			if i--; i >= 0 {
				continue
			}
			if l.skipped(check) || !l.provenHere(check["id"], hint["id"]) {
				return "", true
			}
			hint["if"] = fmt.Sprintf("!(%s)", hint["if"])
			l.keep(func(w map[string]any) bool { return w["check"] == check["id"] })
			l.write(t)
			return fmt.Sprintf("check %s gets hint ", check["id"]), true
		}
	}
	return "", false
}

// provenHere reports whether an answer that is possible without containers gets a hint.
func (l *lesson) provenHere(check, hint any) bool {
	return slices.ContainsFunc(l.wrong, func(w map[string]any) bool { return w["check"] == check && w["hint"] == hint && w["pods"] != true })
}

// solveWrong replaces a wrong answer by the solution.
func solveWrong(t *testing.T, l *lesson, i int) (string, bool) {
	if i >= len(l.wrong) {
		return "", false
	}
	wrong := l.wrong[i]
	for _, check := range l.checks {
		if check["id"] == wrong["check"] && (l.skipped(check) || check["act"] != nil || wrong["pods"] == true) {
			return "", true
		}
	}
	var apply, run []string
	for _, step := range solutionSteps(t, filepath.Join(l.dir, "en.md")) {
		if command, ok := strings.CutPrefix(step, "$ "); ok {
			run = append(run, command)
			continue
		}
		name := fmt.Sprintf("mutant%d.yaml", len(apply))
		if err := os.WriteFile(filepath.Join(l.dir, name), []byte(step), 0o600); err != nil {
			t.Fatal(err)
		}
		apply = append(apply, name)
	}
	wrong["apply"], wrong["run"] = apply, run
	l.keep(func(w map[string]any) bool { return w["name"] == wrong["name"] })
	l.write(t)
	return fmt.Sprintf("wrong %v: check %v ", wrong["name"], wrong["check"]), true
}

// solutionSteps returns the steps of a solution that change objects: commands that begin with "$ ", and manifests.
func solutionSteps(t *testing.T, file string) []string {
	t.Helper()
	_, text, _ := strings.Cut(read(t, file), "\n## solution\n")
	text, _, _ = strings.Cut(text, "\n## done\n")
	var steps []string
	for _, block := range regexp.MustCompile("(?s)```(yaml|console)\n(.*?)```").FindAllStringSubmatch(text, -1) {
		if block[1] == "yaml" {
			steps = append(steps, block[2])
			continue
		}
		for line := range strings.Lines(block[2]) {
			if changes := regexp.MustCompile(`^\$ kubectl (get|describe|explain|wait|events|api-resources|version|rollout status) `); strings.HasPrefix(line, "$ ") && !changes.MatchString(line) {
				steps = append(steps, strings.TrimSpace(line))
			}
		}
	}
	return steps
}

// shortenSolution omits a step of the solution.
func shortenSolution(t *testing.T, l *lesson, i int) (string, bool) {
	steps := solutionSteps(t, filepath.Join(l.dir, "en.md"))
	if i >= len(steps) {
		return "", false
	}
	instead := "$ kubectl version"
	if !strings.HasPrefix(steps[i], "$ ") {
		instead = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: nothing}\n"
	}
	for _, file := range glob(t, filepath.Join(l.dir, "??.md")) {
		mutate(t, file, steps[i], instead)
	}
	l.keep(func(map[string]any) bool { return false })
	l.write(t)
	return "solution: ", true
}

// shortenStart omits an object of the beginning.
func shortenStart(t *testing.T, l *lesson, i int) (string, bool) {
	if l.file["start"] == nil {
		return "", false
	}
	file := filepath.Join(l.dir, "start.yaml")
	objects := strings.Split(read(t, file), "\n---\n")
	if i >= len(objects) {
		return "", false
	}
	if l.onlyAsked(t, objects[i]) {
		return "", true
	}
	delete(l.file, "also")
	l.write(t)
	if err := os.WriteFile(file, []byte("# nothing\n"+strings.Join(slices.Delete(objects, i, i+1), "\n---\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return ":", true
}

// onlyAsked reports whether an object is a Service that no check reads: checks send it requests, which needs containers.
func (l *lesson) onlyAsked(t *testing.T, manifest string) bool {
	t.Helper()
	var object struct {
		Kind     string
		Metadata struct{ Name string }
	}
	if err := yaml.Unmarshal([]byte(manifest), &object); err != nil {
		t.Fatal(err)
	}
	asked := false
	for _, probe := range items(l.file["observe"]) {
		for key, value := range probe {
			target, _ := value.(map[string]any)
			switch {
			case key == "http":
				asked = asked || target["service"] == object.Metadata.Name
			case target["kind"] == object.Kind && (key == "list" || target["name"] == object.Metadata.Name):
				return false
			}
		}
	}
	for _, check := range l.checks {
		act, _ := check["act"].(map[string]any)
		traffic, _ := act["traffic"].(map[string]any)
		asked = asked || traffic["service"] == object.Metadata.Name
	}
	return asked && object.Kind == "Service"
}
