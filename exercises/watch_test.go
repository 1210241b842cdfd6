package exercises_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWatched checks that everything is watched that can change a result.
func TestWatched(t *testing.T) {
	t.Parallel()
	e := acting(t, "{delete: {kind: Pod}}", returns)
	var got []string
	for _, w := range e.Watched() {
		got = append(got, w.Resource.Kind+" "+w.Namespace+"/"+w.Name+" "+w.Selector)
	}
	if diff := cmp.Diff([]string{"Namespace /one ", "Pod one/ app=web", "Deployment /web "}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if e.Polled() {
		t.Error("it must be polled, although watches report everything")
	}
}
