// Package dockertest puts a docker command on PATH that says what a test wrote down for
// it, and remembers what it was asked. The test binary itself plays it:
//
//	func TestMain(m *testing.M) {
//		if code, played := dockertest.Play(); played {
//			os.Exit(code)
//		}
//		os.Exit(m.Run())
//	}
package dockertest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// scriptVariable names the file with the answers.
const scriptVariable = "LAB_TEST_DOCKER_SCRIPT"

// Answer is what docker does when it is called with arguments that begin with Args.
type Answer struct {
	Args           string // joined by spaces
	Stdout, Stderr string
	Code           int
	Hangs          bool // it never ends by itself
	Once           bool // later calls get the next answer that fits
}

// Docker is a scripted docker command.
type Docker struct{ dir string }

// Script puts a docker on PATH that gives the answers, each call the first that fits.
// A call that none fits fails. It may not be used in parallel tests.
func Script(t *testing.T, answers ...Answer) Docker {
	t.Helper()
	d := Docker{t.TempDir()}
	self, err := os.Executable()
	if err == nil {
		err = os.Symlink(self, filepath.Join(d.dir, "docker"))
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
	t.Setenv("PATH", d.dir)
	t.Setenv("GORACE", "atexit_sleep_ms=0") // the race detector would keep every docker for a second
	t.Setenv(scriptVariable, filepath.Join(d.dir, "script"))
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

// Play plays docker if the program was called by that name, and returns its exit code.
func Play() (code int, played bool) {
	if filepath.Base(os.Args[0]) != "docker" {
		return 0, false
	}
	a, err := next(os.Getenv(scriptVariable), strings.Join(os.Args[1:], " "))
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

// next notes the call and returns its answer.
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
