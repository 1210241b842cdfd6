package confine_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/confine"
)

// outside, in the environment, makes this program confine itself and say what it
// still can do to that directory, and to its own.
const outside = "LAB_TEST_CONFINED_FROM"

func TestMain(m *testing.M) {
	if victim := os.Getenv(outside); victim != "" {
		attempt(victim)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// attempt prints one line for each thing that went otherwise than it should.
func attempt(victim string) {
	before, err := os.Open("before") // as the lock and the log are
	abi, errConfine := confine.ToWorkingDirectory()
	if err := errors.Join(err, errConfine); err != nil {
		fmt.Println("cannot confine:", err)
		return
	}
	fmt.Println("abi", abi)
	if abi == 0 {
		return
	}
	refused := map[string]error{}
	_, refused["read"] = os.ReadFile(filepath.Join(victim, "file"))
	_, refused["list"] = os.ReadDir(victim)
	refused["write"] = os.WriteFile(filepath.Join(victim, "new"), nil, 0o600)
	refused["make a directory"] = os.Mkdir(filepath.Join(victim, "dir"), 0o700)
	refused["link"] = os.Symlink("/", filepath.Join(victim, "link"))
	refused["remove"] = os.Remove(filepath.Join(victim, "file"))
	refused["move out"] = os.Rename("mine", filepath.Join(victim, "file"))
	refused["move in"] = os.Rename(filepath.Join(victim, "file"), "stolen")
	refused["execute"] = exec.Command("/bin/true").Run()
	for what, err := range refused {
		if !errors.Is(err, fs.ErrPermission) && !errors.Is(err, syscall.EXDEV) {
			fmt.Printf("can %s: %v\n", what, err)
		}
	}
	listener, errListen := net.Listen("unix", "own.sock")
	allowed := map[string]error{
		"listen":           errListen,
		"write":            os.WriteFile("a", []byte("x"), 0o600),
		"replace":          os.Rename("a", "mine"),
		"make a directory": os.MkdirAll("x/y", 0o700),
		"remove":           os.RemoveAll("x"),
	}
	_, allowed["use what was open before"] = before.ReadAt(make([]byte, 1), 0)
	_, allowed["read /proc/self"] = os.ReadFile("/proc/self/stat")
	for what, err := range allowed {
		if err != nil {
			fmt.Printf("cannot %s: %v\n", what, err)
		}
	}
	if listener != nil {
		listener.Close()
	}
}

func TestConfined(t *testing.T) {
	t.Parallel()
	own, victim := t.TempDir(), t.TempDir()
	for _, file := range []string{filepath.Join(own, "before"), filepath.Join(own, "mine"), filepath.Join(victim, "file")} {
		if err := os.WriteFile(file, []byte("work"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(os.Args[0])
	cmd.Dir, cmd.Env = own, append(os.Environ(), outside+"="+victim)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	said := strings.Fields(string(out))
	if len(said) != 2 || said[0] != "abi" {
		t.Fatalf("the confined process said:\n%s", out)
	}
	t.Logf("Landlock ABI %s", said[1])
	if said[1] == "0" {
		t.Skip("the kernel has no Landlock (ABI 0), so nothing was confined or tested")
	}
	left, err := os.ReadDir(victim)
	if err != nil || len(left) != 1 {
		t.Errorf("outside are %v, %v", left, err)
	}
}
