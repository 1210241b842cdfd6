package helm

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/kube"
	"helm.sh/helm/v3/pkg/release"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/resource"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Remove implements [addons.Installer]. It deletes the objects of the addon's release, and
// the definitions and namespaces that lab created for it unless something else depends on
// them.
func (i Installer) Remove(ctx context.Context, c addons.Cluster, a addons.Addon, moved func(string)) ([]addons.Kept, error) {
	namespace, err := i.namespaceOf(ctx, c, a)
	if err != nil {
		return nil, err
	}
	s, err := connect(ctx, c, namespace, moved)
	if err != nil {
		return nil, err
	}
	s.client.release, s.client.removing = types.NamespacedName{Namespace: namespace, Name: a.Name}, true
	last, err := s.last(a.Name)
	if err != nil {
		return nil, err
	}
	own := ownOf(a)
	if last != nil {
		own.add(s.revisions(a.Name)...)
		err = s.removeRelease(ctx, last)
	}
	if err != nil {
		return s.client.kept, s.explain(ctx, err)
	}
	found, err := s.removeRest(ctx, a, own)
	if err == nil && last == nil && !found {
		err := fault.Errorf(fault.ErrNotFound, "the cluster has no addon %q", a.Name)
		return nil, fault.WithHint(err, "lab status shows those that it has")
	}
	return s.client.kept, s.explain(ctx, err)
}

// namespaceOf finds the release wherever it is: the catalogue may say another namespace
// than it did when the addon was installed.
func (i Installer) namespaceOf(ctx context.Context, c addons.Cluster, a addons.Addon) (string, error) {
	list, err := i.List(ctx, c)
	if err != nil {
		return "", err
	}
	for _, in := range list {
		if in.Name == a.Name {
			return in.Namespace, nil
		}
	}
	return a.In(), nil
}

// removeRelease deletes the objects of the release: those of custom kinds first, while
// their controller is there to finalize them. It returns when they are gone.
func (s *session) removeRelease(ctx context.Context, last *release.Release) error {
	former, err := s.former(last)
	if err != nil {
		return err
	}
	all, err := s.client.Build(strings.NewReader(last.Manifest), false)
	if err != nil {
		return err
	}
	if err := s.removeCustom(ctx, append(all, former...)); err != nil {
		return err
	}
	if err := s.removeFormer(former); err != nil {
		return err
	}
	if err := s.uninstall(last.Name); err != nil {
		return err
	}
	return s.client.WaitForDelete(s.client.deleted, forever)
}

// former returns the objects that recorded revisions of a release have and the current one
// lacks. Where a revision failed, some of them may still be there: Helm compares with one
// revision only.
func (s *session) former(current *release.Release) (kube.ResourceList, error) {
	var manifests []string
	for _, rel := range s.revisions(current.Name) {
		if rel.Version != current.Version && rel.Manifest != current.Manifest {
			manifests = append(manifests, rel.Manifest)
		}
	}
	if len(manifests) == 0 {
		return nil, nil
	}
	tolerant := *s.client
	tolerant.removing = true // the kinds of some may be gone
	all, err := tolerant.Build(strings.NewReader(strings.Join(manifests, "\n---\n")), false)
	if err != nil {
		return nil, err
	}
	now, err := tolerant.Build(strings.NewReader(current.Manifest), false)
	if err != nil {
		return nil, err
	}
	return all.Difference(now).Filter(func(i *resource.Info) bool { return isDeleted(i) && !isShared(i) }), nil
}

// removeFormer deletes those of the objects that still belong to the release.
func (s *session) removeFormer(former kube.ResourceList) error {
	var mine kube.ResourceList
	for _, info := range former {
		live, err := s.client.live(info)
		if err != nil {
			return err
		}
		if live != nil && isOf(live, s.client.release) && isDeleted(info) {
			mine = append(mine, info)
		}
	}
	if len(mine) == 0 {
		return nil // of which Helm makes an error
	}
	_, errs := s.client.Client.Delete(mine)
	return errors.Join(errs...)
}

// removeRest deletes what lab created for the addon beside its release, and tells whether
// there was anything. An interrupted call may have left it without the release.
func (s *session) removeRest(ctx context.Context, a addons.Addon, own residents) (found bool, err error) {
	if err := s.removeSecrets(ctx, a); err != nil {
		return false, err
	}
	found, err = s.removeDefinitions(ctx, a.Name)
	if err != nil {
		return found, err
	}
	more, err := s.removeNamespaces(ctx, a.Name, own)
	return found || more, err
}

// uninstall runs Helm's own, which resumes an interrupted one.
func (s *session) uninstall(name string) error {
	s.say("deleting the objects of its chart")
	uninstall := action.NewUninstall(s.config)
	uninstall.Timeout = forever
	uninstall.IgnoreNotFound = true
	_, err := uninstall.Run(name)
	if err != nil && s.client.failed != nil {
		return s.client.failed
	}
	if err != nil {
		return fmt.Errorf("uninstall: %w", err)
	}
	return nil
}

// revisions returns what is recorded of a release.
func (s *session) revisions(name string) []*release.Release {
	all, err := s.config.Releases.History(name)
	if err != nil {
		return nil // then less is known to be of the release, and more is kept
	}
	return all
}
