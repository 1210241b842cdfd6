package providertest

import (
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
)

// bug is a mistake that an adapter could make.
type bug struct {
	seed  func(*mutant)
	fails string // a rule that must notice it
}

// allBugs returns the bugs by name.
func allBugs() map[string]bug {
	all := map[string]bug{}
	for _, some := range []map[string]bug{
		bugsAtRest(), bugsOfUnknown(), bugsOfNew(), bugsOfList(), bugsOfKubeconfig(), bugsOfPower(),
		bugsOfDelete(), bugsSideBySide(), bugsOfCancel(), bugsOfHalfMade(), bugsOfOwner(), bugsOfSnapshots(), bugsOfManners(),
	} {
		maps.Copy(all, some)
	}
	return all
}

// TestSuiteNoticesEveryBug runs the suite on the fake with one bug at a time, each
// in a separate process, because the suite fails there.
func TestSuiteNoticesEveryBug(t *testing.T) {
	_, rules := runContract(t, "")
	var mu sync.Mutex
	useful := map[string]bool{} // rules that some bug made fail
	t.Run("bug", func(t *testing.T) {
		for name, b := range allBugs() {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				failed, _ := runContract(t, name)
				if want := strings.ReplaceAll(b.fails, " ", "_"); !slices.Contains(failed, want) {
					t.Errorf("rule %q did not notice it; these failed: %q", b.fails, failed)
				}
				mu.Lock()
				defer mu.Unlock()
				for _, rule := range failed {
					useful[rule] = true
				}
			})
		}
	})
	for _, rule := range rules {
		if !useful[rule] {
			t.Errorf("rule %q never failed: no bug breaks it", rule)
		}
	}
}

// runContract runs TestFakeKeepsTheContract with the bug in the fake, and returns
// the rules that failed and all that were checked, as testing spells them.
func runContract(t *testing.T, bug string) (failed, checked []string) {
	t.Helper()
	executable, err := os.Executable()
	must(t, err)
	cmd := exec.CommandContext(t.Context(), executable, "-test.run=^TestFakeKeepsTheContract$", "-test.v", "-test.timeout=1m")
	cmd.Env = append(os.Environ(), bugVariable+"="+bug)
	out, err := cmd.CombinedOutput()
	if bug == "" && err != nil {
		t.Fatalf("the suite fails on the fake as it is: %v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		verdict, rest, _ := strings.Cut(strings.TrimSpace(line), ": TestFakeKeepsTheContract/")
		rule, _, _ := strings.Cut(rest, " (")
		switch verdict {
		case "--- FAIL":
			failed = append(failed, rule)
			checked = append(checked, rule)
		case "--- PASS":
			checked = append(checked, rule)
		}
	}
	isGroup := func(rule string) bool {
		return slices.ContainsFunc(checked, func(r string) bool { return strings.HasPrefix(r, rule+"/") })
	}
	return failed, slices.DeleteFunc(slices.Clone(checked), isGroup)
}
