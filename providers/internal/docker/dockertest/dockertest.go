// Package dockertest puts a fake docker command on PATH, or another program. It gives scripted
// answers and records its calls, or it uses an [Engine]. The test binary itself plays it:
//
//	func TestMain(m *testing.M) { os.Exit(dockertest.Main(m)) }
package dockertest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// engineVariable has the docker command use an [Engine].
const engineVariable = "LAB_TEST_ENGINE"

// scriptVariable names the file with the answers of a program.
func scriptVariable(program string) string { return "LAB_TEST_SCRIPT_OF_" + program }

// Answer is what the program does when it is called with arguments that begin with Args.
type Answer struct {
	Args           string // joined by spaces
	Stdout, Stderr string
	Code           int
	Hangs          bool // it never ends by itself
	Once           bool // later calls get the next answer that fits
}

// Docker is a scripted docker command, or another program.
type Docker struct{ dir, name string }

// Path returns the path of the program.
func (d Docker) Path() string { return filepath.Join(d.dir, d.name) }

// Script puts a docker on PATH that gives each call the first answer that matches. A call
// without an answer fails. It cannot be used in parallel tests.
func Script(t *testing.T, answers ...Answer) Docker {
	t.Helper()
	d := Program(t, "docker", answers...)
	t.Setenv("PATH", d.dir)
	return d
}

// Program creates a program that gives the answers, and does not change PATH.
func Program(t *testing.T, name string, answers ...Answer) Docker {
	t.Helper()
	d := Docker{t.TempDir(), name}
	self, err := os.Executable()
	if err == nil {
		err = os.Symlink(self, d.Path())
	}
	var text []byte
	if err == nil {
		text, err = json.Marshal(answers)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(d.dir, "script"), text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GORACE", "atexit_sleep_ms=0") // the race detector would keep every call for a second
	t.Setenv(scriptVariable(name), filepath.Join(d.dir, "script"))
	return d
}

// None leaves PATH without a docker command.
func None(t *testing.T) { t.Setenv("PATH", t.TempDir()) }

// Calls returns the arguments of all calls so far, in order, each joined by spaces.
func (d Docker) Calls(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(d.dir, "calls"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

// Environment returns the values that a variable had in the last call: one, or none.
func (d Docker) Environment(t *testing.T, variable string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(d.dir, "environment"))
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), variable+"="); ok {
			values = append(values, value)
		}
	}
	return values
}

// Main runs the tests, or plays a scripted program if the test binary was called by its
// name, and returns the exit code.
func Main(m *testing.M) int {
	if code, played := play(); played {
		return code
	}
	return m.Run()
}

func play() (code int, played bool) {
	name := filepath.Base(os.Args[0])
	if os.Getenv(engineVariable) != "" && name == "docker" {
		return forward(), true
	}
	script := os.Getenv(scriptVariable(name))
	if script == "" {
		return 0, false
	}
	a, err := next(script, strings.Join(os.Args[1:], " "))
	if err != nil {
		_, _ = os.Stderr.WriteString("dockertest: " + err.Error() + "\n")
		return 99, true
	}
	if a.Hangs {
		<-time.After(time.Minute)
	}
	_, _ = os.Stdout.WriteString(a.Stdout)
	_, _ = os.Stderr.WriteString(a.Stderr)
	return a.Code, true
}

// next records the call and returns its answer.
func next(path, args string) (Answer, error) {
	var answers []Answer
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &answers)
	}
	if err != nil {
		return Answer{}, err
	}
	calls, err := os.OpenFile(filepath.Join(filepath.Dir(path), "calls"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return Answer{}, err
	}
	defer calls.Close()
	if _, err := calls.WriteString(args + "\n"); err != nil {
		return Answer{}, err
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "environment"), []byte(strings.Join(os.Environ(), "\n")), 0o600); err != nil {
		return Answer{}, err
	}
	for i, a := range answers {
		if !strings.HasPrefix(args, a.Args) {
			continue
		}
		if a.Once {
			answers = append(answers[:i:i], answers[i+1:]...)
			if text, err = json.Marshal(answers); err == nil {
				err = os.WriteFile(path, text, 0o600)
			}
		}
		return a, err
	}
	return Answer{}, os.ErrNotExist
}
