//go:build linux || darwin

package kwok

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain runs the test binary as a lab-engine if that is its name.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == engineName {
		os.Exit(playEngine(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// fakeEngine returns the path of a lab-engine with the behavior. The name of its directory contains the
// behavior, because engines get no environment.
func fakeEngine(t *testing.T, behavior ...string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), strings.Join(behavior, "+"))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, engineName)
	if err := os.Symlink(self, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// actor is a running fake engine.
type actor struct {
	behavior []string
	dir      string
	pipe     *os.File
	status   map[string]any
}

func (a *actor) does(what string) bool { return slices.Contains(a.behavior, what) }

func playEngine(args []string) (code int) {
	path := os.Args[0]
	if behind, err := os.Readlink(path); err == nil && filepath.Base(behind) == engineName {
		path = behind // what the contract's engine has become
	}
	a := &actor{
		behavior: strings.Split(filepath.Base(filepath.Dir(path)), "+"),
		status:   map[string]any{},
	}
	if args[0] == "version" {
		return a.version()
	}
	if args[0] == "check" {
		return a.check(must(io.ReadAll(os.Stdin)))
	}
	if args[0] == "snapshot" || args[0] == "restore" {
		return a.copyData(args[0], args[2], args[4])
	}
	a.dir = args[2]
	a.pipe = os.NewFile(3, "report")
	syscall.CloseOnExec(3)
	log.SetOutput(must(os.OpenFile("logs/engine.log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)))
	return a.serve()
}

func (a *actor) version() int {
	switch {
	case a.does("crash"):
		fmt.Fprintln(os.Stderr, "runtime: cannot allocate memory")
		return 2
	case a.does("mumble"):
		fmt.Println("lab-engine, some version")
		return 0
	}
	fmt.Println(`{"engine":"v0","kubernetesVersion":"v1.37.2","kwokVersion":"v0.8.0"}`)
	return 0
}

// check rejects a configuration that contains "Nope".
func (a *actor) check(native []byte) int {
	if strings.Contains(string(native), "Nope") {
		fmt.Fprintln(os.Stderr, "feature gates: unrecognized feature gate: Nope")
		return 1
	}
	return 0
}

// serve follows the protocol, except for the behavior.
func (a *actor) serve() int {
	for _, variable := range os.Environ() {
		if !strings.Contains(" HOME PATH TMPDIR TZ ", " "+strings.Split(variable, "=")[0]+" ") {
			panic("an engine gets " + variable)
		}
	}
	if a.does("sleep") { // before it says or holds anything
		hang()
	}
	lock := must(os.OpenFile("lock", os.O_CREATE|os.O_RDWR, 0o600))
	held := syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart}
	if a.does("locked") || syscall.FcntlFlock(lock.Fd(), syscall.F_SETLK, &held) != nil {
		a.say(message{Error: "another engine is running"})
		return exitLocked
	}
	defer runtime.KeepAlive(lock) // collected, it would be closed, and the lock free
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	if a.does("deaf") {
		signal.Ignore(syscall.SIGTERM)
	}
	port := a.open()
	a.write(phaseStarting, port)
	if code := a.start(); code >= 0 {
		return code
	}
	if a.does("hang") {
		await(term)
		return 1
	}
	a.status["everReady"] = true
	a.write(phaseReady, port)
	a.say(message{Ready: true})
	a.pipe.Close()
	await(term)
	a.write(phaseStopped, port)
	return 0
}

// start reports the steps. It returns the exit code of an engine that fails in them, else -1.
func (a *actor) start() int {
	a.say(message{Step: "Starting etcd", State: "started"})
	for i := range 8 {
		log.Printf("line %d", i+1)
	}
	switch {
	case a.does("die"):
		a.say(message{Error: "etcd: no luck today"})
		return 1
	case a.does("full"):
		a.say(message{Error: "etcd: write wal: no space left on device"})
		return 1
	case a.does("nokey"):
		a.say(message{Error: "write pki/.engine.kubeconfig.42: no space left on device"})
		return 1
	case a.does("damaged"):
		a.say(message{Error: "certificate authority: pki/ca.key is damaged: it has no PEM block"})
		return 1
	case a.does("panic"):
		panic("what now")
	case a.does("killed"):
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		hang()
	case a.does("mute"): // and lives on
		a.pipe.Close()
		hang()
	case a.does("garbage"):
		fmt.Fprint(a.pipe, "hello\n\n{\"step\":7}\n[]\n{\"novelty\":true}\n{\"step\":\"Odd\",\"state\":\"odd\"}\n")
	case a.does("flood"):
		fmt.Fprint(a.pipe, strings.Repeat("x", 1<<20))
		hang()
	}
	a.say(message{Step: "Starting etcd", State: "progress", Message: "half"})
	a.say(message{Step: "Starting etcd", State: "done"})
	if a.does("hurry") {
		fmt.Fprint(a.pipe, "{\"step\":\"Hurrying\",\"state\":\"started\"}\n{\"ready\":true}\n")
	}
	a.say(message{Step: "Starting the API server", State: "started"})
	return -1
}

func (a *actor) say(m message) {
	fields := map[string]any{}
	for key, value := range map[string]string{
		"step": m.Step, "state": string(m.State), "message": m.Message, "error": m.Error,
	} {
		if value != "" {
			fields[key] = value
		}
	}
	if m.Ready {
		fields["ready"] = true
	}
	_ = json.NewEncoder(a.pipe).Encode(fields)
}

// write replaces the status.
func (a *actor) write(phase string, port int) {
	if before, err := readStatus(a.dir); err == nil && before.EverReady {
		a.status["everReady"] = true
	}
	a.status["phase"], a.status["pid"], a.status["apiPort"] = phase, os.Getpid(), port
	a.status["kubernetesVersion"], a.status["startedAt"] = "v1.37.2", time.Now().UTC()
	writeWhole(statusFile, must(json.Marshal(a.status)))
}

func writeWhole(path string, content []byte) {
	must(0, os.WriteFile(path+".tmp", content, 0o600))
	must(0, os.Rename(path+".tmp", path))
}

// hang waits for longer than any test takes.
func hang() { await(nil) }

// await waits with a timeout, so that a fake engine ends soon after a test that crashed.
func await(signal <-chan os.Signal) {
	select {
	case <-signal:
	case <-time.After(2 * time.Minute):
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
