package helm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"helm.sh/helm/v3/pkg/release"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"

	"github.com/clusterlab-dev/lab/addons"
)

const (
	// settling is how long the objects of a namespace that are about to be deleted have for
	// it. It is longer than the 15 seconds for which a controller usually holds a lease.
	settling = 20 * time.Second

	settleInterval = time.Second

	// named is how many of the objects that keep a namespace an error or a reason names.
	named = 5
)

// remove deletes the namespaces that lab or the chart created for the addon, unless
// they contain objects of others. It reports whether lab had created one. The marks alone do
// not make a namespace the addon's: a copy has them, too.
func (ns namespaces) remove(ctx context.Context, addon string, own residents) (found bool, err error) {
	all, err := ns.typed.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
	if err != nil {
		return false, err
	}
	var deleted []corev1.Namespace
	for _, n := range all.Items {
		// The namespace of the release counts whichever addon lab created it for: that addon
		// may have been removed before.
		home := n.Name == ns.client.release.Namespace && n.Labels[addonLabel] != ""
		if !home && n.Labels[addonLabel] != addon && !isOf(&n, ns.client.release) {
			continue
		}
		found = found || home && n.Labels[addonLabel] == addon
		reason, err := ns.user(ctx, &n, home, own)
		if err != nil {
			return found, err
		}
		if reason == "" {
			if err := ns.delete(ctx, &n); err != nil {
				return found, err
			}
			deleted = append(deleted, n)
			continue
		}
		shared, err := ns.isShared(n.Name)
		if err != nil {
			return found, err
		}
		created := home && n.Labels[addonLabel] == addon || !home && own.has(&n)
		ns.client.kept = append(ns.client.kept, addons.Kept{
			Object: addons.Object{Kind: "Namespace", Name: n.Name}, Reason: reason, Own: created && !shared,
		})
	}
	for _, n := range deleted {
		if err := ns.await(ctx, n); err != nil {
			return found, err
		}
	}
	return found, nil
}

// user returns why a namespace with the addon's marks is kept, or "".
func (ns namespaces) user(ctx context.Context, n *corev1.Namespace, home bool, own residents) (string, error) {
	switch {
	case !home && !own.has(n):
		return "it has the marks of this addon, but this addon did not create it", nil
	case n.DeletionTimestamp != nil:
		return "", nil // an interrupted removal deleted it
	}
	ns.say("looking for other objects in namespace %s", n.Name)
	return ns.settled(ctx, n.Name, own)
}

// isShared reports whether another Helm release is in a namespace.
func (ns namespaces) isShared(name string) (bool, error) {
	all, err := releasesIn(ns.client.unbound, name).ListReleases()
	if err != nil {
		return false, fmt.Errorf("cannot list the releases in namespace %s: %w", name, err)
	}
	return slices.ContainsFunc(all, func(rel *release.Release) bool {
		return rel.Name != ns.client.release.Name || rel.Namespace != ns.client.release.Namespace
	}), nil
}

// delete deletes a namespace, and not another one of its name. It takes the objects in
// it out of those that are kept.
func (ns namespaces) delete(ctx context.Context, n *corev1.Namespace) error {
	options := metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &n.UID}}
	err := ns.typed.CoreV1().Namespaces().Delete(ctx, n.Name, options)
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return err
	}
	ns.client.kept = slices.DeleteFunc(ns.client.kept, func(k addons.Kept) bool { return k.Object.Namespace == n.Name })
	return nil
}

// awaitDeletion waits until a namespace that is being deleted no longer exists: nothing can be
// created in it before.
func (ns namespaces) awaitDeletion(ctx context.Context, namespace string) error {
	n, err := ns.typed.CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{})
	if apierrors.IsNotFound(err) || err == nil && n.DeletionTimestamp == nil {
		return nil
	}
	if err != nil {
		return err
	}
	return ns.await(ctx, *n)
}

// await waits until a namespace is deleted. If the API server cannot delete it because
// an aggregated API is not available, the error names that API.
func (ns namespaces) await(ctx context.Context, n corev1.Namespace) error {
	why := ""
	err := poll(ctx, interval, func(ctx context.Context) (bool, error) {
		live, err := ns.typed.CoreV1().Namespaces().Get(ctx, n.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) || err == nil && live.UID != n.UID {
			return true, nil
		}
		if err == nil {
			why = remaining(live)
		}
		ns.say("waiting until namespace %s is deleted", n.Name)
		return false, err
	})
	if err == nil {
		return nil
	}
	err = fmt.Errorf("namespace %s is not deleted yet%s: %w", n.Name, why, err)
	if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return ns.explainUnavailable(ctx, err)
}

// remaining returns the API server's reasons for not having deleted a namespace yet.
func remaining(n *corev1.Namespace) string {
	var all []string
	for _, c := range n.Status.Conditions {
		if c.Status == corev1.ConditionTrue {
			all = append(all, c.Message)
		}
	}
	if len(all) == 0 {
		return ""
	}
	return " (" + strings.Join(all, "; ") + ")"
}

// settled returns why a namespace must be kept, or "". It waits for objects that are about to
// be deleted. If the objects cannot be listed, it returns an error: the namespace must not be
// deleted, and the addon not be forgotten.
func (ns namespaces) settled(ctx context.Context, namespace string, own residents) (reason string, err error) {
	limited, cancel := context.WithTimeout(ctx, ns.settling)
	defer cancel()
	var content, passing []string
	failed := errors.New("the API server did not answer in time")
	_ = poll(limited, settleInterval, func(context.Context) (bool, error) {
		foreign, ending, err := ns.inside(limited, namespace, own)
		if limited.Err() != nil {
			return false, nil // what was found before counts
		}
		if failed = err; err != nil {
			ns.say("waiting until all objects in namespace %s can be listed: %v", namespace, err)
			return false, nil
		}
		content, passing = foreign, ending
		if len(content) == 0 && len(passing) > 0 {
			ns.say("waiting until %s in namespace %s is deleted", enumerate(passing), namespace)
		}
		return len(content) > 0 || len(passing) == 0, nil
	})
	switch {
	case ctx.Err() != nil && len(passing) > 0:
		return "", fmt.Errorf("%s in namespace %s is not deleted yet: %w", enumerate(passing), namespace, ctx.Err())
	case ctx.Err() != nil:
		return "", fmt.Errorf("interrupted while looking for other objects in namespace %s: %w", namespace, ctx.Err())
	case failed != nil:
		return "", ns.explainUnavailable(ctx, fmt.Errorf("cannot list the objects in namespace %s: %w", namespace, failed))
	case len(content)+len(passing) > 0:
		return "it has objects that do not belong to this addon: " + enumerate(append(content, passing...)), nil
	}
	return "", nil
}

func enumerate(all []string) string {
	if more := len(all) - named; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(all[:named], ", "), more)
	}
	return strings.Join(all, ", ")
}

// inside lists the objects in a namespace, of every kind, that belong neither to Kubernetes nor
// to the addon: content, and passing, which is about to be deleted.
func (ns namespaces) inside(ctx context.Context, namespace string, own residents) (content, passing []string, err error) {
	kinds, err := ns.kinds()
	if err != nil {
		return nil, nil, err
	}
	client, err := ns.metadata()
	if err != nil {
		return nil, nil, err
	}
	var all []resident
	for kind, resource := range kinds {
		list, err := client.Resource(resource).Namespace(namespace).List(ctx, metav1.ListOptions{})
		if apierrors.IsNotFound(err) {
			continue // the kind was deleted
		}
		if err != nil {
			return nil, nil, fmt.Errorf("cannot list %s: %w", resource.GroupResource(), err)
		}
		for i := range list.Items {
			all = append(all, resident{kind, &list.Items[i]})
		}
	}
	j, err := ns.judge(ctx, namespace, own, all)
	if err != nil {
		return nil, nil, err
	}
	content, passing = j.sort(all)
	return content, passing, nil
}

// kinds returns the kinds of which objects can be listed and deleted in a
// namespace. It returns an error if the API server does not list all of them.
func (ns namespaces) kinds() (map[schema.GroupKind]schema.GroupVersionResource, error) {
	lists, err := discovery.ServerPreferredNamespacedResources(ns.typed.Discovery())
	if err != nil {
		return nil, err
	}
	kinds := map[schema.GroupKind]schema.GroupVersionResource{}
	for _, list := range discovery.FilteredBy(discovery.SupportsAllVerbs{Verbs: []string{"list", "delete"}}, lists) {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return nil, err
		}
		for _, r := range list.APIResources {
			if !strings.Contains(r.Name, "/") {
				kinds[schema.GroupKind{Group: gv.Group, Kind: r.Kind}] = gv.WithResource(r.Name)
			}
		}
	}
	return kinds, nil
}

// exists reports whether an owner exists that is not in the namespace.
func (ns namespaces) exists(ctx context.Context, owner metav1.OwnerReference) (bool, error) {
	gv, err := schema.ParseGroupVersion(owner.APIVersion)
	if err != nil {
		return false, err
	}
	mapper, err := ns.config.RESTClientGetter.ToRESTMapper()
	if err != nil {
		return false, err
	}
	mapping, err := mapper.RESTMapping(schema.GroupKind{Group: gv.Group, Kind: owner.Kind}, gv.Version)
	if meta.IsNoMatchError(err) {
		return false, nil // its kind does not exist
	}
	if err != nil {
		return false, err
	}
	client, err := ns.metadata()
	if err != nil {
		return false, err
	}
	if mapping.Scope.Name() != meta.RESTScopeNameRoot {
		return false, nil // [namespaces.inside] would have listed it
	}
	live, err := client.Resource(mapping.Resource).Get(ctx, owner.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return err == nil && live.UID == owner.UID, err
}
