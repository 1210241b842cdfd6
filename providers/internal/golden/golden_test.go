package golden_test

import (
	"path/filepath"
	"testing"

	"github.com/clusterlab-dev/lab/providers/internal/golden"
)

// recorder is a test that may fail.
type recorder struct {
	testing.TB
	failed bool
}

func (*recorder) Helper()                 {}
func (r *recorder) Errorf(string, ...any) { r.failed = true }
func (r *recorder) Fatal(...any)          { r.failed = true }

func TestCheck(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	for _, test := range []struct {
		what   string
		update bool
		got    string
		fails  bool
	}{
		{"none", false, "a", true}, {"written", true, "a", false}, {"the same", false, "a", false}, {"another", false, "b", true},
	} {
		r := &recorder{TB: t}
		if golden.Check(r, test.update, path, test.got); r.failed != test.fails {
			t.Errorf("%s: failed %t", test.what, r.failed)
		}
	}
}
