package providers_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// late is a flavor whose engine creates objects at given times.
type late struct {
	providers.Provider
	began   time.Time
	comes   []time.Duration // since began
	fails   error           // of Delete, where something is there
	until   time.Duration   // since began; 0 is for ever
	removed []time.Duration // when
}

func (*late) Name() string             { return "late" }
func (*late) Straggles() time.Duration { return 5 * time.Second }

func (l *late) there() bool {
	return slices.ContainsFunc(l.comes, func(d time.Duration) bool { return time.Since(l.began) >= d })
}

func (l *late) List(context.Context) ([]providers.Cluster, error) {
	if !l.there() {
		return nil, nil
	}
	return []providers.Cluster{{Name: "lab", Provider: "late", Mark: "mark"}}, nil
}

func (l *late) Delete(_ context.Context, ref providers.Ref) error {
	if !l.there() {
		return fault.Errorf(fault.ErrNotFound, "nothing")
	}
	if err := ref.Check(providers.Cluster{Name: "lab", Mark: "mark"}); err != nil {
		return err
	}
	if l.fails != nil && (l.until == 0 || time.Since(l.began) < l.until) {
		return l.fails
	}
	l.removed = append(l.removed, time.Since(l.began))
	l.comes = slices.DeleteFunc(l.comes, func(d time.Duration) bool { return time.Since(l.began) >= d })
	return nil
}

func TestDeleteOrphan(t *testing.T) {
	t.Parallel()
	ref := providers.Ref{Provider: "late", Name: "lab", Mark: "mark"}
	for name, test := range map[string]struct {
		comes []time.Duration
		ref   providers.Ref
		want  error
		times int           // it removes something
		after time.Duration // it is over
	}{
		"nothing there":           {nil, ref, fault.ErrNotFound, 0, 5 * time.Second},
		"all there":               {[]time.Duration{0}, ref, nil, 1, 5 * time.Second},
		"one comes late":          {[]time.Duration{4 * time.Second}, ref, nil, 1, 9 * time.Second},
		"one after the other":     {[]time.Duration{0, 4 * time.Second, 8 * time.Second}, ref, nil, 3, 13 * time.Second},
		"of another program":      {[]time.Duration{0}, providers.Ref{Provider: "late", Name: "lab", Mark: "x"}, fault.ErrForeign, 0, 0},
		"of another program late": {[]time.Duration{time.Second}, providers.Ref{Provider: "late", Name: "lab", Mark: "x"}, fault.ErrForeign, 0, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &late{began: time.Now(), comes: test.comes}
				set, err := providers.NewSet(p)
				if err != nil {
					t.Fatal(err)
				}
				var said []string
				err = event.Reporter(func(e event.Event) { said = append(said, e.Message) }).Do("Deleting", func(step *event.Step) error {
					return set.DeleteOrphan(t.Context(), test.ref, step)
				})
				if waited := test.after > 0; waited != (len(said) > 2 && said[1] != "") {
					t.Errorf("it said %q", said)
				}
				if !errors.Is(err, test.want) || err != nil && test.want == nil || len(p.removed) != test.times {
					t.Errorf("%v, removed at %v", err, p.removed)
				}
				if took := time.Since(p.began); took < test.after || took > test.after+time.Second {
					t.Errorf("it took %s, want %s", took, test.after)
				}
			})
		})
	}
}

// TestDeleteOrphanInUse is about objects that cannot be removed while others still appear.
func TestDeleteOrphanInUse(t *testing.T) {
	t.Parallel()
	inUse := errors.New("volume is in use")
	gone := fault.Errorf(fault.ErrUnavailable, "no engine answers")
	for name, test := range map[string]struct {
		late
		want  error
		times int
		after time.Duration
	}{
		"for a moment":      {late{comes: []time.Duration{0}, fails: inUse, until: 2 * time.Second}, nil, 1, 7 * time.Second},
		"for ever":          {late{comes: []time.Duration{0}, fails: inUse}, inUse, 0, 5 * time.Second},
		"late":              {late{comes: []time.Duration{0, 3 * time.Second}, fails: inUse, until: 4 * time.Second}, nil, 1, 9 * time.Second},
		"the engine's gone": {late{comes: []time.Duration{0}, fails: gone}, fault.ErrUnavailable, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &test.late
				p.began = time.Now()
				set, err := providers.NewSet(p)
				if err != nil {
					t.Fatal(err)
				}
				err = set.DeleteOrphan(t.Context(), providers.Ref{Provider: "late", Name: "lab", Mark: "mark"}, event.Reporter(nil).Start("Deleting"))
				if !errors.Is(err, test.want) || err != nil && test.want == nil || len(p.removed) != test.times {
					t.Errorf("%v, removed at %v", err, p.removed)
				}
				if took := time.Since(p.began); took < test.after || took > test.after+time.Second {
					t.Errorf("it took %s, want %s", took, test.after)
				}
			})
		})
	}
}

func TestDeleteOrphanGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		set, err := providers.NewSet(&late{began: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err = set.DeleteOrphan(ctx, providers.Ref{Provider: "late", Name: "lab"}, event.Reporter(nil).Start("Deleting"))
		wrapped(t, err, context.DeadlineExceeded, `late: delete cluster "lab": `)
	})
}
