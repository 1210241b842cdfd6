package main

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// runLab runs the program that a script knows as lab.
func runLab(ts *testscript.TestScript, i int, args []string) error {
	path, err := exec.LookPath("lab")
	for _, dir := range strings.Split(ts.Getenv("PATH"), ":") {
		if p, e := exec.LookPath(dir + "/lab"); e == nil {
			path, err = p, nil
			break
		}
	}
	if err != nil {
		return err
	}
	cmd := exec.Command(path)
	for _, a := range args {
		cmd.Args = append(cmd.Args, strings.ReplaceAll(a, "{}", strconv.Itoa(i)))
	}
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "LAB_HOME", "KUBECONFIG", "FAKE", "TMPDIR", "GORACE"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("lab %q: %w\n%s", cmd.Args[1:], err, out)
	}
	return nil
}
