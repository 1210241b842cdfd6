package providers_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

func TestValidateName(t *testing.T) {
	t.Parallel()
	for name, hint := range map[string]string{
		"lab": "ok", "a1": "ok", "1a": "ok", "a-b": "ok", "a--b": "ok", strings.Repeat("a", 32): "ok",
		"":                             "lab up demo",
		"a":                            "lab up demo",
		strings.Repeat("a", 33):        "use another name, such as " + strings.Repeat("a", 32),
		strings.Repeat("a", 64):        "use another name, such as " + strings.Repeat("a", 32),
		"Lab":                          "use another name, such as lab",
		"../x":                         "lab up demo",
		"my lab":                       "use another name, such as my-lab",
		"a_b":                          "use another name, such as a-b",
		"-ab":                          "use another name, such as ab",
		"ab-":                          "use another name, such as ab",
		"läb":                          "use another name, such as l-b",
		"a\x00b":                       "use another name, such as a-b",
		"…":                            "lab up demo",
		strings.Repeat("-", 33) + "ab": "use another name, such as ab",
	} {
		err := providers.ValidateName(name)
		if hint == "ok" {
			if err != nil {
				t.Errorf("%q: %v", name, err)
			}
			continue
		}
		if !errors.Is(err, fault.ErrInvalid) || !strings.Contains(fault.HintOf(err), hint) {
			t.Errorf("%q: %v (hint %q), want ErrInvalid with the hint %q", name, err, fault.HintOf(err), hint)
		}
	}
}

// TestNameProblem also shows that characters are counted, not bytes.
func TestNameProblem(t *testing.T) {
	t.Parallel()
	for name, problem := range map[string]string{
		"":                      "must not be empty",
		"ä":                     "at least 2 characters",
		strings.Repeat("ä", 32): "contains 'ä'",
		strings.Repeat("ä", 33): "at most 32 characters, but has 33",
		strings.Repeat("a", 64): "at most 32 characters, but has 64",
		"a\x00b":                `contains '\x00'`,
		"../x":                  "contains '.'",
		"-demo":                 "must start and end",
	} {
		if err := providers.ValidateName(name); err == nil || !strings.Contains(err.Error(), problem) {
			t.Errorf("%q: %v, want %q", name, err, problem)
		}
	}
}

// FuzzValidateName checks that what is accepted is what all flavors accept, and that
// the name in a hint is accepted too.
func FuzzValidateName(f *testing.F) {
	for _, seed := range []string{"lab", "", "a", "../x", "My Lab", strings.Repeat("a-", 40), "\xff", "x--", "äöü"} {
		f.Add(seed)
	}
	label := regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`) // RFC 1123, as Kubernetes has it
	f.Fuzz(func(t *testing.T, name string) {
		err := providers.ValidateName(name)
		valid := label.MatchString(name) && len(name) >= 2 && len(name) <= 32
		if (err == nil) != valid {
			t.Fatalf("%q: %v", name, err)
		}
		if err == nil {
			return
		}
		if suggestion, ok := strings.CutPrefix(fault.HintOf(err), "use another name, such as "); ok {
			if again := providers.ValidateName(suggestion); again != nil {
				t.Errorf("%q: the hint names %q, and %v", name, suggestion, again)
			}
		}
	})
}
