//go:build e2e && unix

package kwok

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// examplePack is the pack of docs/exercises.md.
const examplePack = "../../docs/examples/pack"

// TestExercise does an exercise as a student would: in the wrong namespace first, then wrongly, then right.
func TestExercise(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	name := p.up()
	exercise := func(args ...string) []string { return append([]string{"exercise"}, args...) }
	p.fails(3, []string{"start the exercise: lab exercise start service --name " + name}, exercise("check", "service", "--name", name)...)
	if out := p.Must(exercise("start", "service", "--name", name)...); !strings.Contains(out, "A Service that finds nobody") {
		t.Errorf("the task is\n%s", out)
	}
	if out := p.Must(exercise("start", "service", "--lang", "ru")...); !strings.Contains(out, "Service, который никого не находит") ||
		!strings.Contains(out, "только имитирует контейнеры") {
		t.Errorf("the Russian task is\n%s", out)
	}
	p.Must(exercise("start", "service", "--lang", "en")...)
	if got := p.Try(exercise("check")...); got.Code != 1 || !strings.Contains(got.Stdout, "found: app=wbe") {
		t.Errorf("exit code %d\n%s", got.Code, got.Stdout)
	}
	for _, want := range []string{"Put the two side by side", "One says `web`", "lab exercise solution --yes"} {
		if out := p.Must(exercise("hint")...); !strings.Contains(out, want) {
			t.Errorf("the hint is\n%s\nwant %q", out, want)
		}
	}
	p.Must("kubectl", name, "--", "delete", "service", "web", "--namespace", "service")
	p.Must("kubectl", name, "--", "create", "service", "clusterip", "web", "--tcp=80", "--namespace", "default")
	if got := p.Try(exercise("check")...); got.Code != 1 || !strings.Contains(got.Stdout, "exists in namespace `default`") {
		t.Errorf("exit code %d\n%s", got.Code, got.Stdout)
	}
	p.Must(exercise("reset")...)
	p.Must("kubectl", name, "--", "set", "selector", "service", "web", "app=web", "--namespace", "service")
	var report struct {
		Passed, Half bool
		Next         string
		Checks       []struct{ ID, State string }
	}
	got := p.Try(exercise("check", "-o", "json")...)
	if err := json.Unmarshal([]byte(got.Stdout), &report); err != nil {
		t.Fatalf("%v\n%s\n%s", err, got.Stdout, got.Stderr)
	}
	// No container answers on a simulated node, so the exercise cannot pass here.
	if got.Code != 1 || report.Passed || !report.Half || report.Next == "" || report.Checks[2].State != "skipped" {
		t.Errorf("exit code %d, %+v", got.Code, report)
	}
	p.Must(exercise("reset", "--remove")...)
	if out := p.Must("kubectl", name, "--", "get", "namespaces", "-o", "name"); strings.Contains(out, "service") {
		t.Errorf("the namespace is still there:\n%s", out)
	}
	p.Must("down", name)
	p.forget()
}

// forget removes the progress, which stays by design.
func (p *user) forget() {
	p.T.Helper()
	for _, dir := range []string{filepath.Join(p.labHome, "state", "learning"), filepath.Join(p.labHome, "state")} {
		if entries, err := os.ReadDir(dir); err != nil || filepath.Base(dir) == "state" && len(entries) > 0 {
			p.T.Errorf("%s has %v, %v", dir, entries, err)
			continue
		}
		if err := os.RemoveAll(dir); err != nil {
			p.T.Error(err)
		}
	}
}

// TestExercisePasses passes an exercise, with a check that deletes a pod.
func TestExercisePasses(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	name := p.up()
	p.Must("exercise", "start", "deployment", "--name", name)
	kubectl := func(args ...string) {
		p.Must(append([]string{"kubectl", name, "--", "--namespace", "deployment"}, args...)...)
	}
	kubectl("create", "deployment", "web", "--image=ghcr.io/clusterlab-dev/hello:v1", "--replicas=3")
	kubectl("delete", "pod", "web", "--now")
	if out := p.Must("exercise", "check"); !strings.Contains(out, "Passed: A Deployment heals itself") {
		t.Errorf("the result is\n%s", out)
	}
	if out := p.Must("exercise", "list"); !strings.Contains(out, "deployment   passed") {
		t.Errorf("the progress is\n%s", out)
	}
	if entries, _ := filepath.Glob(filepath.Join(p.labHome, "state", "learning", "undo-*")); len(entries) > 0 {
		t.Errorf("there is still something to restore: %q", entries)
	}
	p.Must("down", name)
	p.forget()
}

// TestLectureIsCorrect proves the builtin exercises.
func TestLectureIsCorrect(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	p.useCharts(upstream(t)) // exercises may need addons
	defer p.forgetCharts()
	args := []string{"exercise", "verify", "--flavor", "kwok"}
	if testing.Short() {
		args = append(args, "--exercise", "tour,service,stage-prod,daemonset")
	}
	if got := p.Try(args...); got.Code != 0 {
		t.Errorf("exit code %d\n%s\n%s", got.Code, got.Stdout, got.Stderr)
	}
}

// upstream returns the addons of the catalog whose charts are not part of lab.
func upstream(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(standIns)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// TestVerifyFindsMistakes changes one thing in a correct pack at a time: verify must find each. With -short, it tries only
// the mistakes that students would suffer from most.
func TestVerifyFindsMistakes(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]struct{ file, old, new, want string }{
		"none":                {"", "", "", ""},
		"solution":            {"scale/*.md", "--replicas=2", "--replicas=4", "solution: check replicas is failed; it must pass"},
		"start":               {"scale/start.yaml", "replicas: 1", "replicas: 2", "start: check replicas passes in the beginning"},
		"hint":                {"scale/exercise.yaml", "if: web.spec.replicas < 2", "if: web.spec.replicas > 2", "gets hint many; it must get few"},
		"wrong answer":        {"scale/exercise.yaml", "--replicas=0]", "--replicas=2]", "wrong none: check replicas is passed; it must fail"},
		"check":               {"scale/exercise.yaml", "web.spec.replicas == 2", "web.spec.replicas == 2 && web.spec.template == 1 + web.spec.replicas", "solution: check replicas is failed"},
		"broken check":        {"scale/exercise.yaml", "pass: web.spec.replicas == 2", "pass: web.spec.replicas.startsWith(\"2\")", "check replicas is broken"},
		"other valid answer":  {"scale/exercise.yaml", `"replicas\": 2`, `"replicas\": 5`, "also patch: check replicas is failed"},
		"command in the task": {"scale/*.md", "kubectl get deployments", "kubectl get deployments nosuch", "task: kubectl get deployments nosuch"},
	} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && !slices.Contains([]string{"none", "solution", "start", "hint"}, name) {
				t.Skip("-short")
			}
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "pack")
			if err := os.CopyFS(dir, os.DirFS(examplePack)); err != nil {
				t.Fatal(err)
			}
			if m.file != "" {
				mutate(t, filepath.Join(dir, m.file), m.old, m.new)
			}
			got := newUser(t).Try("exercise", "verify", dir, "--flavor", "kwok", "--exercise", "scale")
			if (got.Code == 0) != (m.want == "") || !strings.Contains(strings.Join(strings.Fields(got.Stdout), " "), m.want) {
				t.Errorf("exit code %d, want %q in\n%s\n%s", got.Code, m.want, got.Stdout, got.Stderr)
			}
		})
	}
}

// mutate replaces a text in files.
func mutate(t *testing.T, pattern, old, new string) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %q, %v", pattern, files, err)
	}
	for _, file := range files {
		text := read(t, file)
		if !strings.Contains(text, old) {
			t.Fatalf("%s does not contain %q", file, old)
		}
		if err := os.WriteFile(file, []byte(strings.ReplaceAll(text, old, new)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
