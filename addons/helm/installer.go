package helm

import (
	"context"
	"fmt"
	"time"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/kube"
	"helm.sh/helm/v3/pkg/release"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// history is how many revisions of a release are kept: enough to see what the last
// change was, each of up to a megabyte.
const history = 3

// forever is for Helm's own limits, which here the context takes the place of.
const forever = 24 * time.Hour

// Installer implements [addons.Installer].
type Installer struct {
	settling time.Duration // in place of the constant, where it is not 0: for tests
}

// Install implements [addons.Installer].
func (Installer) Install(ctx context.Context, c addons.Cluster, r addons.Release, moved func(string)) (addons.Installed, error) {
	s, err := connect(ctx, c, r.Addon.In(), moved)
	if err != nil {
		return addons.Installed{}, err
	}
	s.client.release = types.NamespacedName{Namespace: r.Addon.In(), Name: r.Addon.Name}
	// What an interrupted removal is still deleting takes the release with it.
	if err := s.awaitDeletion(ctx, r.Addon.In()); err != nil {
		return addons.Installed{}, s.explain(ctx, err)
	}
	last, err := s.settle(ctx, r.Addon.Name)
	if err != nil {
		return addons.Installed{}, s.explain(ctx, err)
	}
	if last != nil && isCurrent(last, r) && s.missing(last) == "" {
		return view(last), nil
	}
	loaded, err := load(r.Chart)
	if err == nil {
		err = s.prepare(ctx, r.Addon)
	}
	if err != nil {
		return addons.Installed{}, err
	}
	s.say("applying its chart")
	rel, err := s.apply(last, loaded, r)
	var former kube.ResourceList
	if err == nil {
		former, err = s.former(rel)
	}
	if err == nil {
		err = s.removeFormer(former)
	}
	if err != nil {
		return addons.Installed{}, s.explain(ctx, err)
	}
	return view(rel), nil
}

// settle returns the last revision of a release, or nil, after it has brought what an
// interrupted lab left into a state that Helm continues from. No other lab process works on the
// release, because lab holds the lock of the cluster.
func (s *session) settle(ctx context.Context, name string) (*release.Release, error) {
	last, err := s.last(name)
	if last == nil || err != nil {
		return nil, err
	}
	switch {
	case last.Info.Status.IsPending():
		last.SetStatus(release.StatusFailed, "it was interrupted")
		return last, s.config.Releases.Update(last)
	case last.Info.Status == release.StatusUninstalling, last.Info.Status == release.StatusUninstalled:
		s.client.removing = true
		defer func() { s.client.removing = false }()
		if err := s.removeRelease(ctx, last); err != nil {
			return nil, err
		}
		return nil, s.purge(name)
	}
	return last, nil
}

// last returns the last revision of a release, or nil where there is none. It returns
// ErrForeign where lab did not install it.
func (s *session) last(name string) (*release.Release, error) {
	last, err := s.config.Releases.Last(name)
	if isNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the release %q: %w", name, err)
	}
	if last.Labels[inputsLabel] == "" {
		err := fault.Errorf(fault.ErrForeign, "the release %q in namespace %q is not managed by lab", name, last.Namespace)
		return nil, fault.WithHint(err, "keep the release, or remove it: helm uninstall %s --namespace %s", name, last.Namespace)
	}
	return last, nil
}

// apply installs or upgrades. A failed first installation is installed anew, above what
// there is of it, because what a chart does before installing it may not do before an
// upgrade.
func (s *session) apply(last *release.Release, loaded *chart.Chart, r addons.Release) (*release.Release, error) {
	var rel *release.Release
	var err error
	if last == nil || !s.everDeployed(r.Addon.Name) {
		rel, err = s.newInstall(r).Run(loaded, r.Values)
	} else {
		rel, err = s.newUpgrade(r).Run(r.Addon.Name, loaded, r.Values)
	}
	if err != nil && s.client.failed != nil {
		err = s.client.failed
	}
	return rel, err
}

func (s *session) everDeployed(name string) bool {
	_, err := s.config.Releases.Deployed(name)
	return err == nil
}

func (s *session) newInstall(r addons.Release) *action.Install {
	install := action.NewInstall(s.config)
	install.ReleaseName, install.Namespace = r.Addon.Name, r.Addon.In()
	install.Labels = map[string]string{inputsLabel: inputs(r)}
	install.Replace = true
	install.SkipCRDs = true // Define has applied them
	install.Timeout = forever
	return install
}

func (s *session) newUpgrade(r addons.Release) *action.Upgrade {
	upgrade := action.NewUpgrade(s.config)
	upgrade.Namespace = r.Addon.In()
	upgrade.Labels = map[string]string{inputsLabel: inputs(r)}
	upgrade.ResetValues = true // to what is asked now, and nothing of before
	upgrade.SkipCRDs = true
	upgrade.MaxHistory = history
	upgrade.Timeout = forever
	return upgrade
}
