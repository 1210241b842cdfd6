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
		strings.Repeat("a", 33):        strings.Repeat("a", 32) + " would do",
		strings.Repeat("a", 64):        strings.Repeat("a", 32) + " would do",
		"Lab":                          "lab would do",
		"../x":                         "lab up demo",
		"my lab":                       "my-lab would do",
		"a_b":                          "a-b would do",
		"-ab":                          "ab would do",
		"ab-":                          "ab would do",
		"läb":                          "l-b would do",
		"a\x00b":                       "a-b would do",
		"…":                            "lab up demo",
		strings.Repeat("-", 33) + "ab": "ab would do",
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

// TestNameProblem: a person counts characters, not bytes.
func TestNameProblem(t *testing.T) {
	t.Parallel()
	for name, problem := range map[string]string{
		"":                      "it is empty",
		"ä":                     "shorter than 2",
		strings.Repeat("ä", 32): "it contains 'ä'",
		strings.Repeat("ä", 33): "longer than 32 characters (it has 33)",
		strings.Repeat("a", 64): "longer than 32 characters (it has 64)",
		"a\x00b":                `it contains '\x00'`,
		"../x":                  "it contains '.'",
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
		if suggestion, ok := strings.CutSuffix(fault.HintOf(err), " would do"); ok {
			if again := providers.ValidateName(suggestion); again != nil {
				t.Errorf("%q: the hint names %q, and %v", name, suggestion, again)
			}
		}
	})
}
