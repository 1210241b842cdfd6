//go:build e2e

package e2e

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestActionCancelled simulates GitHub's runner, which interrupts only the process of a cancelled step, with SIGINT
// and then SIGTERM. The step must pass one interrupt on to lab, wait until lab has cleaned up, and exit with lab's
// code.
func TestActionCancelled(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("node"); err != nil {
		t.Fatalf("%v: run make testbed, which installs it", err)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "lab"), `#!/bin/bash
trap 'echo interrupted; sleep 1; echo cleaned up; exit 130' INT
trap 'echo killed in the clean-up; exit 143' TERM
for arg in "$@"; do echo "arg: $arg"; done
echo began
for i in $(seq 600); do sleep 0.1; done
echo 'not interrupted'
`)
	env := []string{"PATH=" + dir + ":" + os.Getenv("PATH"), "RUNNER_TEMP=" + dir, "INPUT_FLAVOR=kind", "INPUT_TTL=6h",
		"INPUT_PROFILE=", "INPUT_FILE=", "INPUT_ARGS=--workers 1\n--set 'hello.text=two words'\n--mount \"./a b:/c\" \n\n"}
	for _, name := range []string{"GITHUB_STATE", "GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH"} {
		env = append(env, name+"="+filepath.Join(dir, name))
	}
	script, err := filepath.Abs(filepath.Join("..", ".ci", "action", "main.cjs"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", script)
	cmd.Env, cmd.Stderr = env, os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		said = append(said, lines.Text())
		switch lines.Text() {
		case "began":
			_ = cmd.Process.Signal(syscall.SIGINT)
		case "interrupted":
			_ = cmd.Process.Signal(syscall.SIGTERM)
		}
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit code %d, want 130", code)
	}
	got := strings.Join(said, "\n")
	for _, want := range []string{"arg: --workers\narg: 1\narg: --set\narg: hello.text=two words\narg: --mount\narg: ./a b:/c\nbegan\n", "\ninterrupted\ncleaned up"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
}

// write writes an executable file.
func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
}
