package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// hints runs every command that looks at a cluster or needs it, and then every command that
// these name in what they say, each on the same state of the machine. Each of those must be
// among the arguments, and end with exit code 0; and the other way round:
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
		_ = ts.Exec("lab", strings.Fields(command)...) // which may fail: what matters is what it says
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
		ts.Fatalf("the commands named are %q, want %q; all that was said:\n%s", named, want, said.String())
	}
	for _, command := range named {
		if err := ts.Exec("lab", strings.Fields(command)...); err != nil {
			ts.Fatalf("lab %s was named, and fails: %v\n%s", command, err, ts.ReadFile("stderr"))
		}
		restore(ts, saved, dirs)
	}
}

// keep copies directories of the script below saved.
func keep(ts *testscript.TestScript, saved string, dirs []string) {
	for _, dir := range dirs {
		ts.Check(os.CopyFS(filepath.Join(saved, dir), os.DirFS(ts.MkAbs(dir))))
	}
}

// restore brings directories back to what keep copied.
func restore(ts *testscript.TestScript, saved string, dirs []string) {
	for _, dir := range dirs {
		ts.Check(os.RemoveAll(ts.MkAbs(dir)))
		ts.Check(os.CopyFS(ts.MkAbs(dir), os.DirFS(filepath.Join(saved, dir))))
	}
}
