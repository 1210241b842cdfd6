package fault_test

import (
	"os/exec"
	"testing"

	"github.com/clusterlab-dev/lab/providers/fault"
)

func TestShellWord(t *testing.T) {
	t.Parallel()
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no sh")
	}
	for _, text := range []string{"", "/home/me/.lab-1", "/a b/c", "it's", `"$HOME"`, "new\nline", "~/x", "a;b&c|d", "*", "`id`", `back\slash`, "ü"} {
		out, err := exec.Command(shell, "-c", "printf %s "+fault.ShellWord(text)).Output()
		if err != nil || string(out) != text {
			t.Errorf("%q became %q, %v", text, out, err)
		}
	}
	if got := fault.ShellWord("/home/me/.lab-1"); got != "/home/me/.lab-1" {
		t.Errorf("quoted without need: %s", got)
	}
}
