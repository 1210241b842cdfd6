package providertest

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// atRest has the rules that need no cluster.
func (s *suite) atRest(t *testing.T) {
	t.Run("has a lower-case name that never changes", func(t *testing.T) {
		first, again, another := s.p.Name(), s.p.Name(), s.New().Name()
		if first == "" || first != strings.ToLower(first) || first != again || first != another {
			t.Errorf("names are %q, %q and, in another process, %q", first, again, another)
		}
	})
	t.Run("has a summary", func(t *testing.T) {
		if s.p.Describe().Summary == "" {
			t.Error("Describe has no Summary")
		}
	})
	t.Run("derives traits from the spec alone", func(t *testing.T) {
		spec := s.newSpec(t)
		if diff := cmp.Diff(s.p.Traits(spec), s.New().Traits(spec)); diff != "" {
			t.Errorf("traits of one spec differ (-first +second):\n%s", diff)
		}
	})
	t.Run("has exactly the promised abilities", func(t *testing.T) {
		for ability, has := range abilities(s.p) {
			if promised := !slices.Contains(s.Cannot, ability); has != promised {
				t.Errorf("can %s: %t, the harness says %t", ability, has, promised)
			}
		}
	})
	t.Run("is usable", func(t *testing.T) {
		wantNoError(t, s.p.Check(s.ctx(t), s.Spec))
	})
	if s.Unavailable != nil {
		t.Run("has a hint for a missing tool", func(t *testing.T) {
			err := s.Unavailable.Check(s.ctx(t), s.Spec)
			wantError(t, err, fault.ErrUnavailable)
			if fault.HintOf(err) == "" {
				t.Errorf("error has no hint: %v", err)
			}
		})
	}
	t.Run("lists no cluster that does not exist", func(t *testing.T) {
		if found := s.listed(t, s.p, s.newSpec(t).Name); len(found) > 0 {
			t.Errorf("List has %+v", found)
		}
	})
}

// unknown has the rule that calls for a cluster that does not exist fail.
func (s *suite) unknown(t *testing.T) {
	name := s.newSpec(t).Name
	notFound := func(rule string, call func(t *testing.T) error) {
		t.Run(rule, func(t *testing.T) { wantError(t, call(t), fault.ErrNotFound) })
	}
	notFound("cannot be deleted", func(t *testing.T) error { return s.p.Delete(s.ctx(t), s.ref(name)) })
	notFound("has no kubeconfig", func(t *testing.T) error {
		_, err := s.p.Kubeconfig(s.ctx(t), s.ref(name))
		return err
	})
	if p, ok := s.p.(providers.StartStopper); ok {
		notFound("cannot be started", func(t *testing.T) error { return p.Start(s.ctx(t), s.ref(name), nil) })
		notFound("cannot be stopped", func(t *testing.T) error { return p.Stop(s.ctx(t), s.ref(name)) })
	}
	if p, ok := s.p.(providers.ImageLoader); ok && s.Archive != "" {
		notFound("takes no images", func(t *testing.T) error { return p.LoadImages(s.ctx(t), s.ref(name), s.Archive) })
	}
	if p, ok := s.p.(providers.LogExporter); ok {
		notFound("has no logs", func(t *testing.T) error { return p.ExportLogs(s.ctx(t), s.ref(name), t.TempDir()) })
	}
	if p, ok := s.p.(providers.Snapshotter); ok {
		notFound("cannot be saved", func(t *testing.T) error {
			_, err := p.SaveSnapshot(s.ctx(t), s.ref(name), t.TempDir(), nil)
			return err
		})
	}
	t.Run("is not created by these calls", func(t *testing.T) { s.wantGone(t, name) })
}

// refused has the rules for specs that the provider does not support.
func (s *suite) refused(t *testing.T) {
	refuse := func(what string, change func(*providers.Spec), kind error) {
		t.Run(what, func(t *testing.T) {
			spec := s.newSpec(t)
			change(&spec)
			wantError(t, s.create(s.ctx(t), spec, s.record()), kind)
			s.wantGone(t, spec.Name)
		})
	}
	for _, what := range slices.Sorted(maps.Keys(s.Invalid)) {
		refuse("with "+what+" is invalid", s.Invalid[what], fault.ErrInvalid)
	}
	for _, what := range slices.Sorted(maps.Keys(s.Unsupported)) {
		refuse("with "+what+" is not supported", s.Unsupported[what], fault.ErrUnsupported)
	}
}

// files returns the files below dir.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	for path := range snapshot(t, dir) {
		found = append(found, filepath.ToSlash(path))
	}
	return found
}
