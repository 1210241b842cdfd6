package kubeconfig_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// mounted runs a job of work while a bind mount of the file host is at path.
func mounted(t *testing.T, options, host, path, verb string) (string, error) {
	t.Helper()
	flags := "-m"
	if os.Geteuid() != 0 {
		flags = "-rm"
		if out, err := exec.Command("unshare", flags, "true").CombinedOutput(); err != nil {
			t.Skipf("only root can mount here: %v: %s", err, out)
		}
	}
	const script = `mount -o "$1" "$2" "$3" && exec "$0"`
	cmd := exec.Command("unshare", flags, "sh", "-c", script, os.Args[0], options, host, path)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s 7 %s", workerEnv, verb, path))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// A file that is mounted into a container cannot be replaced by a rename: it is written in place.
func TestBindMount(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		return // only Linux has these mounts
	}
	_, path := home(t, "")
	host := filepath.Join(t.TempDir(), "config")
	write(t, host, theirs)
	for _, verb := range []string{"check", "up", "down"} {
		if out, err := mounted(t, "bind", host, path, verb); err != nil {
			t.Fatalf("%s: %v: %s", verb, err, out)
		}
		if has := strings.Contains(content(t, host), "name: kind-7\n"); has != (verb == "up") {
			t.Errorf("after %s:\n%s", verb, content(t, host))
		}
		noLeftovers(t, path)
	}
	if got := content(t, host); got != theirs {
		t.Errorf("the file was not restored:\n%s", got)
	}
	if got := content(t, path); got != "" {
		t.Errorf("beneath the mount:\n%s", got)
	}

	out, err := mounted(t, "bind,ro", host, path, "check")
	if err == nil || !strings.Contains(out, "read-only file system") {
		t.Errorf("Check of one that is mounted read-only: %v: %s", err, out)
	}
}
