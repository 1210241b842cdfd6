package helm

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/kube"
	"helm.sh/helm/v3/pkg/release"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/resource"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Remove implements [addons.Installer]. It deletes the objects of the addon's release and of
// its hooks, and the definitions and namespaces that lab created for it unless something else
// depends on them.
func (i Installer) Remove(ctx context.Context, c addons.Cluster, a addons.Addon, moved func(string)) ([]addons.Kept, error) {
	namespace, err := i.namespaceOf(ctx, c, a)
	if err != nil {
		return nil, err
	}
	s, err := connect(ctx, c, namespace, moved)
	if err != nil {
		return nil, err
	}
	if i.settling != 0 {
		s.settling = i.settling
	}
	s.client.release, s.client.removing = types.NamespacedName{Namespace: namespace, Name: a.Name}, true
	last, err := s.releases().last(a.Name)
	if err != nil {
		return nil, err
	}
	found, err := s.remove(ctx, a, last)
	if err == nil && last == nil && !found {
		err := fault.Errorf(fault.ErrNotFound, "the cluster has no addon %q", a.Name)
		return nil, fault.WithHint(err, "lab status shows the addons of the cluster")
	}
	return s.client.kept, s.explain(ctx, err)
}

// namespaceOf returns the namespace of the release. The catalog may name another one than it
// did when the addon was installed.
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

// remove deletes the objects of the release and the other objects that lab created for the addon, and
// reports whether there were any. The record of the release goes last, so that an interrupted
// removal can be resumed.
func (s *session) remove(ctx context.Context, a addons.Addon, last *release.Release) (found bool, err error) {
	own := ownOf(a)
	if last != nil {
		own.add(s.releases().revisions(a.Name)...)
		if err := s.releases().remove(ctx, last); err != nil {
			return true, err
		}
	}
	if err := s.releases().removeSecrets(ctx, a); err != nil {
		return false, err
	}
	defined, err := s.definitions().remove(ctx, a.Name)
	if err != nil {
		return defined, err
	}
	created, err := s.namespaces().remove(ctx, a.Name, own)
	if err != nil {
		return true, err
	}
	return defined || created, s.releases().purge(a.Name)
}

// remove deletes the objects of the release and waits until they are deleted: those of
// custom kinds first, while their controller can finalize them, and those of hooks last.
func (rs releases) remove(ctx context.Context, last *release.Release) error {
	former, err := rs.former(last)
	if err != nil {
		return err
	}
	all, err := rs.client.Build(strings.NewReader(last.Manifest), false)
	if err != nil {
		return err
	}
	if err := rs.removeCustom(ctx, append(all, former...)); err != nil {
		return err
	}
	if err := rs.removeFormer(former); err != nil {
		return err
	}
	if err := rs.uninstall(last); err != nil {
		return err
	}
	mine, err := rs.client.owned(all.Filter(func(i *resource.Info) bool { return isDeleted(i) && !isShared(i) }))
	if err != nil {
		return err
	}
	if err := rs.client.WaitForDelete(mine.Filter(isEnding), forever); err != nil {
		return err
	}
	if err := rs.removeHooks(rs.revisions(last.Name)); err != nil {
		return err
	}
	return rs.keepUnowned(last)
}

// isEnding reports whether an object is being deleted. One that is not was created again
// after its deletion.
func isEnding(info *resource.Info) bool {
	o, err := meta.Accessor(info.Object)
	return err == nil && o.GetDeletionTimestamp() != nil
}

// former returns the objects of earlier recorded revisions that the current one lacks. Some
// of them may exist if a revision failed: Helm compares with one revision only.
func (rs releases) former(current *release.Release) (kube.ResourceList, error) {
	var manifests []string
	for _, rel := range rs.revisions(current.Name) {
		if rel.Version != current.Version && rel.Manifest != current.Manifest {
			manifests = append(manifests, rel.Manifest)
		}
	}
	if len(manifests) == 0 {
		return nil, nil
	}
	all, err := rs.build(manifests...)
	if err != nil {
		return nil, err
	}
	now, err := rs.build(current.Manifest)
	if err != nil {
		return nil, err
	}
	return all.Difference(now).Filter(func(i *resource.Info) bool { return isDeleted(i) && !isShared(i) }), nil
}

// build returns the objects of manifests, without those of kinds that no longer exist.
func (rs releases) build(manifests ...string) (kube.ResourceList, error) {
	tolerant := *rs.client
	tolerant.removing = true
	return tolerant.Build(strings.NewReader(strings.Join(manifests, "\n---\n")), false)
}

// removeFormer deletes those of the objects that still belong to the release.
func (rs releases) removeFormer(former kube.ResourceList) error {
	var mine kube.ResourceList
	for _, info := range former {
		live, err := rs.client.live(info)
		if err != nil {
			return err
		}
		if live != nil && isOf(live, rs.client.release) && isDeleted(info) {
			mine = append(mine, info)
		}
	}
	if len(mine) == 0 {
		return nil // Helm returns an error for an empty list
	}
	_, errs := rs.client.Client.Delete(mine)
	return errors.Join(errs...)
}

// uninstall runs Helm's uninstallation, or resumes it. The record of the release stays, see
// [releases.purge].
func (rs releases) uninstall(last *release.Release) error {
	if last.Info.Status == release.StatusUninstalled {
		return nil
	}
	rs.say("deleting the objects of its chart")
	uninstall := action.NewUninstall(rs.config)
	uninstall.Timeout = forever
	uninstall.IgnoreNotFound = true
	uninstall.KeepHistory = true
	_, err := uninstall.Run(last.Name)
	if err != nil && rs.client.failed != nil {
		return rs.client.failed
	}
	if err != nil {
		return fmt.Errorf("cannot uninstall the release: %w", err)
	}
	return nil
}

// removeHooks deletes the objects that hooks of the release created and that their delete
// policies left. Helm leaves them for ever. An object without lab's mark may have been created
// by another program, so it is kept.
func (rs releases) removeHooks(revisions []*release.Release) error {
	var manifests []string
	for _, rel := range revisions {
		for _, hook := range rel.Hooks {
			manifests = append(manifests, hook.Manifest)
		}
	}
	all, err := rs.build(manifests...)
	if err != nil {
		return err
	}
	if all, err = rs.named(all); err != nil {
		return err
	}
	var mine kube.ResourceList
	for _, info := range all {
		live, err := rs.client.live(info)
		if err != nil {
			return err
		}
		// Namespaces and definitions follow, unless something depends on them.
		if live == nil || live.GetAnnotations()[hookMark] == "" || isShared(info) || mine.Contains(info) {
			continue
		}
		if reason := rs.hookKept(info, live); reason != "" {
			rs.client.keep(info, reason, true)
			continue
		}
		mine = append(mine, info)
	}
	if len(mine) == 0 {
		return nil
	}
	rs.say("deleting the objects of its hooks")
	if _, errs := rs.client.Client.Delete(mine); len(errs) > 0 {
		return errors.Join(errs...)
	}
	return rs.client.WaitForDelete(mine, forever)
}

// named returns the objects of hooks. In place of a hook that has only generateName, it returns the objects that lab
// created from it.
func (rs releases) named(all kube.ResourceList) (kube.ResourceList, error) {
	var list kube.ResourceList
	for _, info := range all {
		hook, err := meta.Accessor(info.Object)
		if err != nil {
			return nil, err
		}
		if info.Name != "" {
			list = append(list, info)
			continue
		}
		created, err := resource.NewHelper(info.Client, info.Mapping).List(info.Namespace, info.Mapping.GroupVersionKind.GroupVersion().String(),
			&metav1.ListOptions{LabelSelector: addonLabel + "=" + rs.client.release.Name})
		if err != nil {
			return nil, fmt.Errorf("cannot list %s: %w", info.Mapping.Resource.GroupResource(), err)
		}
		err = meta.EachListItem(created, func(object runtime.Object) error {
			one := *info
			if err := one.Refresh(object, false); err != nil {
				return err
			}
			if o, err := meta.Accessor(object); err == nil && o.GetGenerateName() == hook.GetGenerateName() {
				list = append(list, &one)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return list, nil
}

// hookKept returns why the object of a hook is kept, or "".
func (rs releases) hookKept(info *resource.Info, live metav1.Object) string {
	switch {
	case live.GetLabels()[addonLabel] != rs.client.release.Name:
		return "a hook of the chart has this name, and it is unknown whether lab created the object"
	case live.GetAnnotations()[keepAnnotation] == kube.KeepPolicy:
		return "its annotation " + keepAnnotation + " is " + kube.KeepPolicy
	case info.Mapping.GroupVersionKind.Kind == "PersistentVolumeClaim":
		return "a hook of the chart created it, and it may contain data"
	}
	return ""
}

// removeSecrets deletes the Secrets that prepare created. It selects them by name, because a
// copy under another name has the label, too.
func (rs releases) removeSecrets(ctx context.Context, a addons.Addon) error {
	for _, secret := range a.Secrets {
		err := rs.typed.CoreV1().Secrets(rs.client.release.Namespace).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{
			LabelSelector: addonLabel + "=" + a.Name,
			FieldSelector: fields.OneTermEqualSelector(metav1.ObjectNameField, secret.Name).String(),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// purge deletes the records of a release.
func (rs releases) purge(name string) error {
	for _, rel := range rs.revisions(name) {
		if _, err := rs.config.Releases.Delete(name, rel.Version); err != nil && !isNotFound(err) {
			return fmt.Errorf("cannot delete the record of the release %q: %w", name, err)
		}
	}
	return nil
}

// revisions returns the recorded revisions of a release. If they cannot be read, lab knows
// less of the addon's objects and keeps more.
func (rs releases) revisions(name string) []*release.Release {
	all, err := rs.config.Releases.History(name)
	if err != nil {
		return nil
	}
	return all
}

// isRecord reports whether an object is the record of a revision of the release.
func isRecord(r resident, rel types.NamespacedName) bool {
	return r.kind.Group == corev1.GroupName && r.kind.Kind == "Secret" &&
		r.Labels["owner"] == "helm" && strings.HasPrefix(r.Name, "sh.helm.release.v1."+rel.Name+".v") && r.Labels["name"] == rel.Name
}
