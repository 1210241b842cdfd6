//go:build e2e && unix

package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/e2e/internal/session"
	"github.com/clusterlab-dev/lab/e2e/internal/watch"
)

// shortExercises are the exercises that -short proves: those whose checks need containers, and one that acts.
const shortExercises = "image,service,deployment"

// TestExercises proves the builtin exercises on real pods: unlike on kwok, no check may be skipped. With -short, it proves
// three of them on kind. Those that need an addon are proven on kwok only: the test bed has no images of these addons.
func TestExercises(t *testing.T) {
	eachFlavor(t, func(t *testing.T, bed *bed, f flavor) {
		oneWillDo(t, f, "kind")
		t.Setenv("PATH", filepath.Join(bed.dir, "bin")+string(filepath.ListSeparator)+os.Getenv("PATH"))
		p := newUser(t, bed)
		p.helloImages()
		args := []string{"exercise", "verify", "--flavor", f.name, "-o", "json", "--progress", "json"}
		if testing.Short() {
			args = append(args, "--exercise", shortExercises)
		} else {
			args = append(args, "--exercise", strings.Join(p.provable(), ","))
		}
		got := p.Try(args...)
		var report struct {
			Valid bool
			Items []struct {
				Name     string
				Half     bool
				Problems []string
			}
		}
		if err := json.Unmarshal([]byte(got.Stdout), &report); err != nil {
			t.Fatalf("%v\n%s\n%s", err, got.Stdout, got.Stderr)
		}
		if got.Code != 0 || !report.Valid || len(report.Items) < 3 {
			t.Errorf("exit code %d, %d exercises\n%s", got.Code, len(report.Items), got.Stderr)
		}
		for _, e := range report.Items {
			if e.Half || len(e.Problems) > 0 {
				t.Errorf("exercise %s: half %t\n%s", e.Name, e.Half, strings.Join(e.Problems, "\n"))
			}
		}
		for name := range p.List() {
			t.Errorf("cluster %s is left", name)
		}
		names := chosenNames().FindAllString(got.Stderr, -1)
		if len(names) == 0 {
			t.Errorf("no name of a cluster in the progress\n%s", got.Stderr)
		}
		for _, name := range slices.Compact(names) {
			for _, object := range leaks(t, name) {
				t.Errorf("left behind: %s", object)
			}
		}
	})
}

// TestWatchReacts measures the time until the first check of an exercise on real pods, the load of their images included, and
// how fast two watches react to a change. -v prints the figures.
func TestWatchReacts(t *testing.T) {
	eachFlavor(t, func(t *testing.T, bed *bed, f flavor) {
		takesLong(t)
		t.Setenv("PATH", filepath.Join(bed.dir, "bin")+string(filepath.ListSeparator)+os.Getenv("PATH"))
		p, name := newUser(t, bed), session.RandomName()
		p.helloImages()
		t.Cleanup(func() {
			if t.Failed() {
				p.Try("down", name)
			}
		})
		p.Must("up", name, "--flavor", f.name)
		watches := watch.React(p.Session, name)
		p.kubectl("set", "selector", "service", "web", "app=web", "--namespace", "service")
		for _, w := range watches {
			w.Sees(t, "Passed")
			w.Ends(t, 0)
		}
		p.Must("down", name)
		p.checkNothing(name)
	})
}

// provable returns the exercises that the test bed can prove.
func (p *user) provable() []string {
	p.T.Helper()
	var list struct {
		Items []struct {
			Name  string
			Needs struct{ Addons []string }
		}
	}
	out := p.Must("exercise", "list", "-o", "json")
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		p.T.Fatalf("%v\n%s", err, out)
	}
	var names []string
	for _, e := range list.Items {
		if len(e.Needs.Addons) == 0 {
			names = append(names, e.Name)
		}
	}
	return names
}

// helloImages builds the images of the exercises if they are not next to lab.
func (p *user) helloImages() {
	p.T.Helper()
	archive := filepath.Join(os.Getenv(binDir), "lab-hello.tar")
	if isFile(archive) {
		return
	}
	cmd := exec.Command("go", "run", "-trimpath", "../cmd/hello/archive", archive)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		p.T.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
}
