package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestREADME types what README.md says to type, in a directory in which bin/lab is this
// program with a fake flavor, and compares what is printed as far as a fake can: the
// headings, and the names before values. `make quickstart` does it for real. Commands of
// kubectl need a real API server, so a stand-in only takes note of them.
func TestREADME(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the kubectl of this test is a shell script")
	}
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := consoleOf(string(text))
	if len(commands) < 5 {
		t.Fatalf("README.md has %d commands only", len(commands))
	}
	dir := person(t)
	for _, c := range commands {
		program, args, _ := strings.Cut(c.line, " ")
		if program != "bin/lab" {
			t.Errorf("%q: only commands of bin/lab can be checked", c.line)
			continue
		}
		got := run(t, dir, strings.Fields(args))
		if strings.HasPrefix(args, "kubectl ") {
			continue
		}
		if diff := cmp.Diff(headings(c.output), headings(got)); diff != "" {
			t.Errorf("%s prints something else (-README +lab):\n%s", c.line, diff)
		}
	}
	left := run(t, dir, []string{"list"})
	noted, err := os.ReadFile(filepath.Join(dir, "noted"))
	if err != nil || left != "" {
		t.Errorf("at the end there are clusters (%q), or no kubectl was ever run (%v)", left, err)
	}
	if strings.Contains(string(noted), "bad") {
		t.Errorf("kubectl was run without a kubeconfig:\n%s", noted)
	}
}

// typed is a command of a page, and what the page says that it prints.
type typed struct{ line, output string }

func consoleOf(page string) []typed {
	var all []typed
	for _, block := range regexp.MustCompile("(?ms)^```console\n(.*?)^```").FindAllStringSubmatch(page, -1) {
		for line := range strings.Lines(block[1]) {
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				all = append(all, typed{line: strings.TrimSpace(command)})
			} else if len(all) > 0 {
				all[len(all)-1].output += line
			}
		}
	}
	return all
}

// headings returns the first word of every line that is neither empty nor indented.
func headings(output string) []string {
	return regexp.MustCompile(`(?m)^\S+`).FindAllString(output, -1)
}

// person returns a home with bin/lab in it, and a kubectl that takes notes.
func person(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(dir, "bin")
	if err := os.Mkdir(bin, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(bin, "lab")); err != nil {
		t.Fatal(err)
	}
	kubectl := "#!/bin/sh\n[ -s \"$KUBECONFIG\" ] && echo ok >>\"$HOME/noted\" || echo bad >>\"$HOME/noted\"\n"
	if err := os.WriteFile(filepath.Join(bin, "kubectl"), []byte(kubectl), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// run returns what bin/lab prints on stdout.
func run(t *testing.T, dir string, args []string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(dir, "bin", "lab"), args...)
	cmd.Dir = dir
	cmd.Env = []string{
		"PATH=" + filepath.Join(dir, "bin") + ":" + os.Getenv("PATH"), "HOME=" + dir,
		"FAKE=" + filepath.Join(dir, "fake"), "FLAVORS=kwok", "TMPDIR=" + dir,
		"GORACE=atexit_sleep_ms=0",
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("lab %q: %v\n%s", args, err, stderr.String())
	}
	return string(out)
}
