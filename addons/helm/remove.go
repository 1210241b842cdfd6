package helm

import (
	"context"
	"fmt"
	"strings"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/release"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers"
)

// Remove implements [addons.Installer]. What is not of the addon stays, and with it what
// it needs: a definition of which there are objects, a namespace in which something is.
func (i Installer) Remove(ctx context.Context, c addons.Cluster, name string, moved func(string)) ([]addons.Kept, error) {
	namespace, err := i.namespaceOf(ctx, c, name)
	if err != nil {
		return nil, err
	}
	s, err := connect(ctx, c, namespace, moved)
	if err != nil {
		return nil, err
	}
	last, err := s.last(name)
	if err != nil {
		return nil, err
	}
	if last == nil {
		err := providers.Errorf(providers.ErrNotFound, "the cluster has no addon %q", name)
		return nil, providers.WithHint(err, "lab status shows those that it has")
	}
	kept, err := s.remove(ctx, last)
	return kept, explain(ctx, err)
}

// namespaceOf finds the release wherever it is: the catalogue may say another namespace
// than it did when the addon was installed.
func (i Installer) namespaceOf(ctx context.Context, c addons.Cluster, name string) (string, error) {
	list, err := i.List(ctx, c)
	if err != nil {
		return "", err
	}
	for _, in := range list {
		if in.Name == name {
			return in.Namespace, nil
		}
	}
	return name, nil
}

// remove takes the release away in an order that leaves nothing hanging: objects of the
// addon's own kinds while its controller is there to finalize them, then the rest, then
// the kinds themselves.
func (s *session) remove(ctx context.Context, last *release.Release) ([]addons.Kept, error) {
	all, err := s.client.Build(strings.NewReader(last.Manifest), false)
	if err != nil {
		all = nil // kinds of it have gone: an earlier Remove came that far
	}
	if err := s.removeCustom(ctx, all); err != nil {
		return nil, err
	}
	if err := s.uninstall(last.Name); err != nil {
		return nil, err
	}
	s.say("waiting for its objects to be gone")
	if err := s.client.WaitForDelete(all.Filter(isDeleted), forever); err != nil {
		return nil, err
	}
	if err := s.removeSecrets(ctx, last); err != nil {
		return nil, err
	}
	kept, err := s.removeDefinitions(ctx, last.Name, all)
	if err != nil {
		return nil, err
	}
	more, err := s.removeNamespace(ctx, last)
	return append(kept, more...), err
}

// uninstall runs Helm's own, which goes on with what an earlier one left.
func (s *session) uninstall(name string) error {
	s.say("removing what its chart made")
	uninstall := action.NewUninstall(s.config)
	uninstall.Timeout = forever
	uninstall.IgnoreNotFound = true
	if _, err := uninstall.Run(name); err != nil {
		return fmt.Errorf("uninstall: %w", err)
	}
	return nil
}
