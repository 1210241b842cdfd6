// Package helm installs charts with Helm's code.
//
// Helm leaves three things to this package. Waiting: Helm's waits take no context, and end with
// "timed out" although the cluster knows the reason; package ready waits instead. Cancelling: an
// installation that Helm cancels continues in the background, so here it runs to its end over
// connections that end with the context. Custom resource definitions: Helm never upgrades them;
// this package applies them on the server before everything else.
package helm

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/kube"
	"helm.sh/helm/v3/pkg/release"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// history is the number of revisions of a release that are kept. Each has up to a megabyte.
const history = 3

// forever disables Helm's own limits: the context limits each operation.
const forever = 24 * time.Hour

// Installer implements [addons.Installer].
type Installer struct {
	settling time.Duration // replaces the constant in tests, if not 0
}

// Install implements [addons.Installer].
func (Installer) Install(ctx context.Context, c addons.Cluster, r addons.Release, moved func(string)) (addons.Installed, error) {
	s, err := connect(ctx, c, r.Addon.In(), moved)
	if err != nil {
		return addons.Installed{}, err
	}
	s.client.release = types.NamespacedName{Namespace: r.Addon.In(), Name: r.Addon.Name}
	// An interrupted removal may still be deleting the namespace, and the release with it.
	if err := s.namespaces().awaitDeletion(ctx, r.Addon.In()); err != nil {
		return addons.Installed{}, s.explain(ctx, err)
	}
	last, err := s.releases().settle(ctx, r.Addon.Name)
	if err != nil {
		return addons.Installed{}, s.explain(ctx, err)
	}
	if last != nil && isCurrent(last, r) && s.releases().missing(last) == "" {
		return view(last), nil
	}
	loaded, err := loadSafe(r)
	if err == nil {
		err = s.releases().prepare(ctx, r.Addon)
	}
	if err == nil {
		err = s.releases().createUnowned(ctx, r)
	}
	if err != nil {
		return addons.Installed{}, s.explain(ctx, err)
	}
	s.say("applying its chart")
	rel, err := s.releases().apply(last, loaded, r)
	var former kube.ResourceList
	if err == nil {
		former, err = s.releases().former(rel)
	}
	if err == nil {
		err = s.releases().removeFormer(former)
	}
	if err != nil {
		return addons.Installed{}, s.explain(ctx, err)
	}
	return view(rel), nil
}

// settle returns the last revision of a release, or nil, after it has brought what an
// interrupted lab left into a state that Helm continues from. No other lab process works on the
// release, because lab holds the lock of the cluster.
func (rs releases) settle(ctx context.Context, name string) (*release.Release, error) {
	last, err := rs.last(name)
	if last == nil || err != nil {
		return nil, err
	}
	switch {
	case last.Info.Status.IsPending():
		last.SetStatus(release.StatusFailed, "it was interrupted")
		return last, rs.config.Releases.Update(last)
	case last.Info.Status == release.StatusUninstalling, last.Info.Status == release.StatusUninstalled:
		rs.client.removing = true
		defer func() { rs.client.removing = false }()
		if err := rs.remove(ctx, last); err != nil {
			return nil, err
		}
		return nil, rs.purge(name)
	}
	return last, nil
}

// last returns the last revision of a release, or nil where there is none. It returns
// ErrForeign where lab did not install it.
func (rs releases) last(name string) (*release.Release, error) {
	last, err := rs.config.Releases.Last(name)
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

// apply installs or upgrades. A failed first installation is repeated as an installation, because
// the hooks before an installation may differ from those before an upgrade.
func (rs releases) apply(last *release.Release, loaded *chart.Chart, r addons.Release) (*release.Release, error) {
	var rel *release.Release
	var err error
	if last == nil || !rs.everDeployed(r.Addon.Name) {
		rel, err = rs.newInstall(r).Run(loaded, r.Values)
	} else {
		rel, err = rs.newUpgrade(r).Run(r.Addon.Name, loaded, r.Values)
	}
	if err != nil && rs.client.failed != nil {
		err = rs.client.failed
	}
	return rel, err
}

func (rs releases) everDeployed(name string) bool {
	_, err := rs.config.Releases.Deployed(name)
	return err == nil
}

func (rs releases) newInstall(r addons.Release) *action.Install {
	install := action.NewInstall(rs.config)
	install.ReleaseName, install.Namespace = r.Addon.Name, r.Addon.In()
	install.Labels = map[string]string{inputsLabel: inputs(r)}
	install.Replace = true
	install.SkipCRDs = true // Define applied them
	install.Timeout = forever
	return install
}

func (rs releases) newUpgrade(r addons.Release) *action.Upgrade {
	upgrade := action.NewUpgrade(rs.config)
	upgrade.Namespace = r.Addon.In()
	upgrade.Labels = map[string]string{inputsLabel: inputs(r)}
	upgrade.ResetValues = true // use only the values of this request
	upgrade.SkipCRDs = true
	upgrade.MaxHistory = history
	upgrade.Timeout = forever
	return upgrade
}

// prepare creates the namespace and the Secrets of an addon unless they exist.
func (rs releases) prepare(ctx context.Context, a addons.Addon) error {
	mark := metav1.ObjectMeta{Name: a.In(), Labels: map[string]string{addonLabel: a.Name}}
	_, err := rs.typed.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: mark}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("cannot create the namespace %q: %w", a.In(), err)
	}
	for _, secret := range a.Secrets {
		mark.Name = secret.Name
		created := &corev1.Secret{ObjectMeta: mark, StringData: map[string]string{}}
		for key, value := range secret.Fixed {
			created.StringData[key] = value
		}
		for _, key := range secret.Generated {
			created.StringData[key] = rand.Text()
		}
		_, err := rs.typed.CoreV1().Secrets(a.In()).Create(ctx, created, metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("cannot create the Secret %q: %w", secret.Name, err)
		}
	}
	return nil
}

const (
	// inputsLabel is the label of each release that lab installs: a digest of its inputs. Unlike
	// rendered objects, the digest is also the same for charts with random values.
	inputsLabel = "clusterlab.dev/inputs"

	// addonLabel is the label of all other objects that lab creates for an addon.
	addonLabel = "clusterlab.dev/addon"
)

// inputs returns a digest of the chart and the values of a release.
func inputs(r addons.Release) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s", r.Chart.Digest, r.Values.Canonical()))
	return hex.EncodeToString(sum[:16]) // a label has room for no more than 63 characters
}

// isCurrent reports whether a release was deployed completely from the same inputs as r.
func isCurrent(rel *release.Release, r addons.Release) bool {
	return rel.Info.Status == release.StatusDeployed && rel.Labels[inputsLabel] == inputs(r)
}
