package addontest_test

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/addons/addontest"
)

// bugVariable names the bug with which this program runs the suite, to see it fail.
const bugVariable = "LAB_ADDONTEST_BUG"

// buggy is the fake with one bug; the methods that a bug does not concern are the fake's.
type buggy struct {
	addontest.Fake
	bug    string
	delete func(addons.Object)
}

func (b buggy) Install(ctx context.Context, c addons.Cluster, r addons.Release, moved func(string)) (addons.Installed, error) {
	switch b.bug {
	case "always a change":
		r.Values = addons.Merge(r.Values, addons.Values{"random": rand.Text()})
	case "values are ignored":
		r.Values = nil
	case "cannot be cancelled":
		ctx = context.WithoutCancel(ctx)
	case "secrets are forgotten":
		r.Addon.Secrets = nil
	case "another namespace":
		r.Addon.Namespace = "default"
	}
	in, err := b.Fake.Install(ctx, c, r, moved)
	switch b.bug {
	case "failures are hidden":
		err = nil
	case "no version":
		in.Version = ""
	case "foreign releases have no kind":
		if err != nil {
			err = errors.New(err.Error())
		}
	}
	return in, err
}

func (b buggy) Define(ctx context.Context, c addons.Cluster, r addons.Release) ([]addons.Kept, error) {
	if b.bug == "definitions are never upgraded" && r.Addon.Name == "defines" {
		if list, err := b.List(ctx, c); err == nil {
			for _, in := range list {
				if in.Name == r.Addon.Name {
					return nil, nil
				}
			}
		}
	}
	if b.bug == "different definitions are not returned" {
		_, err := b.Fake.Define(ctx, c, r)
		return nil, err
	}
	return b.Fake.Define(ctx, c, r)
}

func (b buggy) Preview(ctx context.Context, c addons.Cluster, r addons.Release) ([]addons.Change, error) {
	changes, err := b.Fake.Preview(ctx, c, r)
	if b.bug == "the preview installs" && err == nil {
		_, err = b.Install(ctx, c, r, nil)
	}
	if b.bug == "the preview is empty" {
		return nil, err
	}
	return changes, err
}

func (b buggy) Stale(ctx context.Context, c addons.Cluster, r addons.Release) (string, error) {
	if b.bug == "nothing is stale" {
		return "", nil
	}
	return b.Fake.Stale(ctx, c, r)
}

func (b buggy) Check(r addons.Release, kubernetes string) error {
	if b.bug == "every chart is good" {
		return nil
	}
	return b.Fake.Check(r, kubernetes)
}

func (b buggy) Remove(ctx context.Context, c addons.Cluster, a addons.Addon, moved func(string)) ([]addons.Kept, error) {
	switch b.bug {
	case "nothing is removed":
		return nil, nil
	case "kept objects are not returned":
		_, err := b.Fake.Remove(ctx, c, a, moved)
		return nil, err
	case "what others need is removed":
		kept, err := b.Fake.Remove(ctx, c, a, moved)
		for _, k := range kept {
			b.delete(k.Object)
		}
		return kept, err
	case "all kept objects are the addon's own":
		kept, err := b.Fake.Remove(ctx, c, a, moved)
		for i := range kept {
			kept[i].Own = true
		}
		return kept, err
	case "leftovers are forgotten":
		a.Leftovers = nil
	}
	return b.Fake.Remove(ctx, c, a, moved)
}

func bugs() []string {
	return []string{
		"always a change", "values are ignored", "cannot be cancelled", "secrets are forgotten", "another namespace",
		"failures are hidden", "no version", "foreign releases have no kind", "definitions are never upgraded",
		"the preview installs", "the preview is empty", "nothing is removed", "kept objects are not returned",
		"different definitions are not returned", "what others need is removed", "leftovers are forgotten",
		"nothing is stale", "every chart is good", "all kept objects are the addon's own",
	}
}

// TestBuggy is what TestSuiteCanFail runs, with one bug each time.
func TestBuggy(t *testing.T) {
	bug := os.Getenv(bugVariable)
	if bug == "" {
		return // nothing is wrong with the fake: see TestFake
	}
	fake := addontest.NewFake(t.TempDir())
	h := fake.Harness(addons.Cluster{Kubeconfig: []byte("one")})
	h.Installer = buggy{fake, bug, func(o addons.Object) { h.Delete(t, o) }}
	addontest.Run(t, h)
}

// TestSuiteCanFail seeds bugs: the suite must find each.
func TestSuiteCanFail(t *testing.T) {
	t.Parallel()
	for _, bug := range bugs() {
		t.Run(bug, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestBuggy$")
			cmd.Env = append(os.Environ(), bugVariable+"="+bug)
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "--- FAIL: TestBuggy/") {
				t.Errorf("the suite does not find it: %v\n%s", err, out)
			}
		})
	}
}
