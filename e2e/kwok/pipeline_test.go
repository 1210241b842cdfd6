//go:build e2e && unix

package kwok

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// job is a job of a pipeline.
type job struct {
	p   *user
	env []string
}

func newJob(p *user, env ...string) job {
	p.T.Helper()
	common := []string{
		"PATH=" + p.bin + ":/usr/local/bin:/usr/bin:/bin", "LAB_HOME=" + p.labHome, "HOME=" + filepath.Join(p.root, "home"),
		"TMPDIR=" + filepath.Join(p.root, "tmp"), "KUBECONFIG=" + p.kubeconfig,
		"LAB_FLAVOR=kwok", // the machine may have Docker
	}
	return job{p, append(common, env...)}
}

// step runs a step, and returns its output and exit code.
func (j job) step(program string, args ...string) (string, int) {
	j.p.T.Helper()
	cmd := exec.CommandContext(j.p.T.Context(), program, args...)
	cmd.Dir, cmd.Env = j.p.root, j.env
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		j.p.T.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// TestAction runs the two steps of action.yml as GitHub does: with inputs in the environment, and with the values
// that the first step passes to the others.
func TestAction(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	scripts := filepath.Join("..", "..", ".ci", "action")
	start, end := absolute(t, filepath.Join(scripts, "start")), absolute(t, filepath.Join(scripts, "end"))
	files := []string{"GITHUB_STATE", "GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH"}
	github := []string{"RUNNER_TEMP=" + filepath.Join(p.root, "tmp"), "GITHUB_RUN_ID=12345678901"}
	for _, name := range files {
		github = append(github, name+"="+filepath.Join(t.TempDir(), name))
	}
	github = append(github, inputs(t)...)
	github = append(github, "INPUT_FLAVOR=kwok", "INPUT_ARGS=--workers 1", "INPUT_LOGS="+filepath.Join(p.root, "saved"))
	j := newJob(p, github...)
	if out, code := j.step(start); code != 0 {
		t.Fatalf("exit code %d\n%s", code, out)
	}
	noted := read(t, variable(github, "GITHUB_STATE"))
	for line := range strings.Lines(noted) {
		j.env = append(j.env, "STATE_"+strings.TrimSpace(line))
	}
	later := newJob(p, strings.Fields(read(t, variable(github, "GITHUB_ENV")))...)
	if out, code := later.step(filepath.Join(p.bin, "lab-engine"), "kubectl", "get", "nodes", "-o", "name"); code != 0 || strings.Count(out, "node/") != 2 {
		t.Errorf("exit code %d\n%s", code, out)
	}
	if out, code := j.step(end); code != 0 {
		t.Errorf("exit code %d\n%s", code, out)
	}
	if saved := filesBelow(t, filepath.Join(p.root, "saved")); len(saved) == 0 {
		t.Error("no logs were saved")
	}
	_ = os.RemoveAll(filepath.Join(p.root, "saved"))
	if out, code := j.step(end); code != 0 { // as after a failed creation
		t.Errorf("a second end: exit code %d\n%s", code, out)
	}
	_ = os.RemoveAll(filepath.Join(p.root, "saved"))
	p.gone()
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func variable(env []string, name string) string {
	for _, e := range env {
		if value, ok := strings.CutPrefix(e, name+"="); ok {
			return value
		}
	}
	return ""
}

// inputs returns the defaults of action.yml as GitHub passes them, and checks the scripts of its steps.
func inputs(t *testing.T) []string {
	t.Helper()
	var action struct {
		Inputs map[string]struct{ Default string }
		Runs   map[string]string
	}
	if err := yaml.Unmarshal([]byte(read(t, filepath.Join("..", "..", "action.yml"))), &action); err != nil {
		t.Fatal(err)
	}
	for step, script := range map[string]string{"main": "'start'", "post": "'end'"} {
		if text := read(t, filepath.Join("..", "..", action.Runs[step])); !strings.Contains(text, script) {
			t.Errorf("the step %s does not run %s:\n%s", step, script, text)
		}
	}
	var env []string
	for name, input := range action.Inputs {
		env = append(env, "INPUT_"+strings.ToUpper(name)+"="+input.Default)
	}
	return env
}

// TestGitLab runs the scripts of the job in docs/ci.md.
func TestGitLab(t *testing.T) {
	t.Parallel()
	_, text, _ := strings.Cut(read(t, filepath.Join("..", "..", "docs", "ci.md")), "## GitLab")
	_, text, _ = strings.Cut(text, "```yaml\n")
	text, _, _ = strings.Cut(text, "```")
	var pipeline map[string]struct {
		Script      []string
		AfterScript []string `yaml:"after_script"`
	}
	if err := yaml.Unmarshal([]byte(text), &pipeline); err != nil || len(pipeline) != 1 {
		t.Fatalf("%v in\n%s", err, text)
	}
	p := newUser(t)
	j := newJob(p)
	for _, job := range pipeline {
		for _, line := range append(job.Script, job.AfterScript...) {
			out, code := j.step("bash", "-e", "-c", line)
			if code != 0 || strings.HasPrefix(line, "lab run") && !strings.Contains(out, "-control-plane") {
				t.Errorf("%s: exit code %d\n%s", line, code, out)
			}
		}
	}
}
