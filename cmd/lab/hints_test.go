package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// hints runs all commands that read or need a cluster, and then all commands that appear in
// their hints, each on the same state of the machine. The latter must be the given commands, and
// exit with 0:
//
//	hints NAME COMMAND...
func hints(ts *testscript.TestScript, _ bool, args []string) {
	name, want := args[0], args[1:]
	saved := filepath.Join(ts.Getenv("WORK"), "saved-"+name)
	dirs := []string{"labhome", "fake", "home"}
	ts.Check(os.RemoveAll(saved))
	keep(ts, saved, dirs)
	var said strings.Builder
	for _, command := range []string{"list", "status " + name, "start " + name, "stop " + name, "kubeconfig " + name, "use " + name} {
		_ = ts.Exec("lab", strings.Fields(command)...) // only its output matters
		said.WriteString(ts.ReadFile("stdout") + ts.ReadFile("stderr"))
		restore(ts, saved, dirs)
	}
	var named []string
	for _, command := range regexp.MustCompile(`\blab (up|down|start|stop|gc|extend|flavors|list)\b( `+name+`)?( --[a-z]+( [0-9]+h)?)*`).FindAllString(said.String(), -1) {
		if command = strings.TrimPrefix(command, "lab "); !slices.Contains(named, command) {
			named = append(named, command)
		}
	}
	slices.Sort(named)
	slices.Sort(want)
	if !slices.Equal(named, want) {
		ts.Fatalf("the commands in hints are %q, want %q; the output:\n%s", named, want, said.String())
	}
	for _, command := range named {
		if err := ts.Exec("lab", strings.Fields(command)...); err != nil {
			ts.Fatalf("lab %s is in a hint, and fails: %v\n%s", command, err, ts.ReadFile("stderr"))
		}
		restore(ts, saved, dirs)
	}
}

// keep copies directories of the script to the directory saved.
func keep(ts *testscript.TestScript, saved string, dirs []string) {
	for _, dir := range dirs {
		ts.Check(os.CopyFS(filepath.Join(saved, dir), os.DirFS(ts.MkAbs(dir))))
	}
}

// restore restores directories that keep has copied.
func restore(ts *testscript.TestScript, saved string, dirs []string) {
	for _, dir := range dirs {
		ts.Check(os.RemoveAll(ts.MkAbs(dir)))
		ts.Check(os.CopyFS(ts.MkAbs(dir), os.DirFS(filepath.Join(saved, dir))))
	}
}
