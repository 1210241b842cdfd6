package providertest

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// life follows one cluster from its creation to its deletion: most rules need only this one
// Create.
func (s *suite) life(t *testing.T) {
	spec, r := s.newSpec(t), s.record()
	if err := s.create(s.ctx(t), spec, r); err != nil {
		t.Fatalf("Create: %v", err)
	}
	c := &subject{name: spec.Name, mark: spec.Mark, steps: r.starts}
	c.id = s.find(t, s.p, c.name).ID
	t.Run("when new", func(t *testing.T) { s.whenNew(t, c, r) })
	t.Run("created again", func(t *testing.T) { s.takenName(t, c) })
	t.Run("by its kubeconfig", func(t *testing.T) { s.kubeconfig(t, c) })
	if _, ok := s.p.(providers.ImageLoader); ok {
		t.Run("loading images", func(t *testing.T) { s.images(t, c) })
	}
	if _, ok := s.p.(providers.LogExporter); ok {
		t.Run("writes logs", func(t *testing.T) { s.wantLogs(t, c.name) })
	}
	if p, ok := s.p.(providers.StartStopper); ok {
		t.Run("once stopped", func(t *testing.T) { s.stopped(t, p, c) })
		t.Run("once started again", func(t *testing.T) { s.started(t, p, c) })
	}
	if s.Break != nil {
		t.Run("with its engine dead", func(t *testing.T) { s.broken(t, c) })
	}
	t.Run("once deleted", func(t *testing.T) { s.deleted(t, c) })
	s.first = c
}

// whenNew has the rules for a new cluster. Its ID matters most: by it lab distinguishes its
// cluster from a later one of the same name.
func (s *suite) whenNew(t *testing.T, c *subject, r *recorder) {
	t.Run("is listed as running", func(t *testing.T) {
		s.wantRunning(t, c)
		got := s.find(t, s.p, c.name)
		if got.Provider != s.p.Name() || got.Reason != "" {
			t.Errorf("List says %+v, want provider %q and no reason", got, s.p.Name())
		}
	})
	t.Run("has an ID that stays", func(t *testing.T) {
		if c.id == "" {
			t.Error("ID is empty")
		}
		wantSameID(t, s.find(t, s.p, c.name), c)
	})
	t.Run("bears its mark", func(t *testing.T) {
		if got := s.find(t, s.p, c.name); got.Mark != c.mark || got.Bare {
			t.Errorf("its mark is %q, not %q; bare: %t", got.Mark, c.mark, got.Bare)
		}
	})
	t.Run("is seen by another process", func(t *testing.T) {
		wantSameID(t, s.find(t, s.New(), c.name), c)
	})
	t.Run("was reported step by step", func(t *testing.T) { r.checkFields(t, c.name) })
	t.Run("had every step end once", func(t *testing.T) { r.checkSteps(t) })
	if s.Probe != nil {
		t.Run("answers", func(t *testing.T) {
			kubeconfig, err := s.p.Kubeconfig(s.ctx(t), s.ref(c.name))
			wantNoError(t, err)
			s.wantAnswer(t, kubeconfig)
		})
	}
}

// takenName has the rule that Create never changes an existing cluster.
func (s *suite) takenName(t *testing.T, c *subject) {
	spec := s.Spec
	spec.Name = c.name
	err := s.create(s.ctx(t), spec, s.record())
	t.Run("exists already", func(t *testing.T) { wantError(t, err, fault.ErrExists) })
	t.Run("is unchanged", func(t *testing.T) { s.wantRunning(t, c) })
}

// kubeconfig has the rules for the kubeconfig that lab merges into the user's, and passes to
// programs in other directories or containers.
func (s *suite) kubeconfig(t *testing.T, c *subject) {
	got, err := s.p.Kubeconfig(s.ctx(t), s.ref(c.name))
	if err != nil {
		t.Fatalf("Kubeconfig: %v", err)
	}
	c.kubeconfig = got
	k, err := parseKubeconfig(got)
	if err != nil {
		t.Fatalf("Kubeconfig cannot be read: %v", err)
	}
	t.Run("has one context, which is current", k.checkContext)
	t.Run("has the entries that Entries returns", func(t *testing.T) {
		got := providers.Entries{Cluster: k.Clusters[0].Name, User: k.Users[0].Name, Context: k.Contexts[0].Name}
		if want := s.p.Entries(c.name); got != want {
			t.Errorf("the entries are %+v, announced were %+v", got, want)
		}
	})
	t.Run("needs no file and no command", k.checkSelfContained)
	t.Run("trusts the cluster's own authority alone", k.checkTrust)
	if s.Context != nil {
		t.Run("has the context name of the tool", func(t *testing.T) {
			if want := s.Context(c.name); k.CurrentContext != want {
				t.Errorf("current context is %q, want %q", k.CurrentContext, want)
			}
		})
	}
}

// images has the rules for loading an archive into the nodes.
func (s *suite) images(t *testing.T, c *subject) {
	p := s.p.(providers.ImageLoader)
	t.Run("names a missing archive", func(t *testing.T) {
		missing := filepath.Join(t.TempDir(), "no-such-archive.tar")
		err := p.LoadImages(s.ctx(t), s.ref(c.name), missing)
		if err == nil || !strings.Contains(err.Error(), filepath.Base(missing)) {
			t.Errorf("error is %v, want one that names %s", err, missing)
		}
	})
	if s.Archive != "" {
		t.Run("loads an archive", func(t *testing.T) {
			wantNoError(t, p.LoadImages(s.ctx(t), s.ref(c.name), s.Archive))
		})
	}
	if s.Image != "" {
		t.Run("loads images of the machine", func(t *testing.T) {
			archive := filepath.Join(t.TempDir(), "image.tar")
			wantNoError(t, p.SaveImages(s.ctx(t), []string{s.Image}, archive))
			wantNoError(t, p.LoadImages(s.ctx(t), s.ref(c.name), archive))
		})
		t.Run("reports missing images as not found", func(t *testing.T) {
			dir := t.TempDir()
			err := p.SaveImages(s.ctx(t), []string{s.Image, "lab.invalid/no-such-image:v0"}, filepath.Join(dir, "image.tar"))
			wantError(t, err, fault.ErrNotFound)
			if left := files(t, dir); len(left) > 0 {
				t.Errorf("it left %q", left)
			}
		})
	}
}

// wantLogs checks that at least one log is exported.
func (s *suite) wantLogs(t *testing.T, name string) {
	t.Helper()
	dir := t.TempDir()
	wantNoError(t, s.p.(providers.LogExporter).ExportLogs(s.ctx(t), s.ref(name), dir))
	if len(files(t, dir)) == 0 {
		t.Error("no log was written")
	}
}

// sameKubeconfig checks that the kubeconfig is still that of the cluster. Its server may have
// another port.
func (s *suite) sameKubeconfig(t *testing.T, c *subject) {
	t.Helper()
	got, err := s.p.Kubeconfig(s.ctx(t), s.ref(c.name))
	wantNoError(t, err)
	now, err := parseKubeconfig(got)
	if err != nil {
		t.Fatalf("Kubeconfig cannot be read: %v", err)
	}
	before, err := parseKubeconfig(c.kubeconfig)
	wantNoError(t, err)
	if now.CurrentContext != before.CurrentContext || !bytes.Equal(now.authority(), before.authority()) {
		t.Errorf("context %q and its authority are not those of the running cluster, %q", now.CurrentContext, before.CurrentContext)
	}
}

// deleted has the rules for the deletion of a cluster.
func (s *suite) deleted(t *testing.T, c *subject) {
	if err := s.p.Delete(s.ctx(t), s.ref(c.name)); err != nil {
		t.Fatalf("Delete: %v", err)
	}
	t.Run("leaves nothing", func(t *testing.T) { s.wantGone(t, c.name) })
	t.Run("cannot be deleted again", func(t *testing.T) {
		wantError(t, s.p.Delete(s.ctx(t), s.ref(c.name)), fault.ErrNotFound)
	})
}
