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

// removeNamespaces deletes the namespaces that lab or the chart created for the addon, unless
// they contain objects of others. It reports whether lab had created one. The marks alone do
// not make a namespace the addon's: a copy has them, too.
func (s *session) removeNamespaces(ctx context.Context, addon string, own residents) (found bool, err error) {
	all, err := s.typed.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
	if err != nil {
		return false, err
	}
	var deleted []corev1.Namespace
	for _, n := range all.Items {
		// The namespace of the release counts whichever addon lab created it for: that addon
		// may have been removed before.
		home := n.Name == s.client.release.Namespace && n.Labels[addonLabel] != ""
		if !home && n.Labels[addonLabel] != addon && !isOf(&n, s.client.release) {
			continue
		}
		found = found || home && n.Labels[addonLabel] == addon
		reason, err := s.namespaceUser(ctx, &n, home, own)
		if err != nil {
			return found, err
		}
		if reason == "" {
			if err := s.deleteNamespace(ctx, &n); err != nil {
				return found, err
			}
			deleted = append(deleted, n)
			continue
		}
		shared, err := s.isSharedNamespace(n.Name)
		if err != nil {
			return found, err
		}
		created := home && n.Labels[addonLabel] == addon || !home && own.has(&n)
		s.client.kept = append(s.client.kept, addons.Kept{
			Object: addons.Object{Kind: "Namespace", Name: n.Name}, Reason: reason, Own: created && !shared,
		})
	}
	for _, n := range deleted {
		if err := s.awaitNamespace(ctx, n); err != nil {
			return found, err
		}
	}
	return found, nil
}

// namespaceUser returns why a namespace with the addon's marks is kept, or "".
func (s *session) namespaceUser(ctx context.Context, n *corev1.Namespace, home bool, own residents) (string, error) {
	switch {
	case !home && !own.has(n):
		return "it has the marks of this addon, but this addon did not create it", nil
	case n.DeletionTimestamp != nil:
		return "", nil // an interrupted removal deleted it
	}
	s.say("looking for other objects in namespace %s", n.Name)
	return s.settled(ctx, n.Name, own)
}

// isSharedNamespace reports whether another Helm release is in a namespace.
func (s *session) isSharedNamespace(name string) (bool, error) {
	all, err := releasesIn(s.client.unbound, name).ListReleases()
	if err != nil {
		return false, fmt.Errorf("cannot list the releases in namespace %s: %w", name, err)
	}
	return slices.ContainsFunc(all, func(rel *release.Release) bool {
		return rel.Name != s.client.release.Name || rel.Namespace != s.client.release.Namespace
	}), nil
}

// deleteNamespace deletes a namespace, and not another one of its name. It takes the objects in
// it out of those that are kept.
func (s *session) deleteNamespace(ctx context.Context, n *corev1.Namespace) error {
	options := metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &n.UID}}
	err := s.typed.CoreV1().Namespaces().Delete(ctx, n.Name, options)
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return err
	}
	s.client.kept = slices.DeleteFunc(s.client.kept, func(k addons.Kept) bool { return k.Object.Namespace == n.Name })
	return nil
}

// awaitDeletion waits until a namespace that is being deleted no longer exists: nothing can be
// created in it before.
func (s *session) awaitDeletion(ctx context.Context, namespace string) error {
	n, err := s.typed.CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{})
	if apierrors.IsNotFound(err) || err == nil && n.DeletionTimestamp == nil {
		return nil
	}
	if err != nil {
		return err
	}
	return s.awaitNamespace(ctx, *n)
}

// awaitNamespace waits until a namespace is deleted. If the API server cannot delete it because
// an aggregated API is not available, the error names that API.
func (s *session) awaitNamespace(ctx context.Context, n corev1.Namespace) error {
	why := ""
	err := poll(ctx, interval, func(ctx context.Context) (bool, error) {
		live, err := s.typed.CoreV1().Namespaces().Get(ctx, n.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) || err == nil && live.UID != n.UID {
			return true, nil
		}
		if err == nil {
			why = remaining(live)
		}
		s.say("waiting until namespace %s is deleted", n.Name)
		return false, err
	})
	if err == nil {
		return nil
	}
	err = fmt.Errorf("namespace %s is not deleted yet%s: %w", n.Name, why, err)
	if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return s.explainUnavailable(ctx, err)
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
func (s *session) settled(ctx context.Context, namespace string, own residents) (reason string, err error) {
	limited, cancel := context.WithTimeout(ctx, s.settling)
	defer cancel()
	var content, passing []string
	failed := errors.New("the API server did not answer in time")
	_ = poll(limited, settleInterval, func(context.Context) (bool, error) {
		foreign, ending, err := s.inside(limited, namespace, own)
		if limited.Err() != nil {
			return false, nil // what was found before counts
		}
		if failed = err; err != nil {
			s.say("waiting until all objects in namespace %s can be listed: %v", namespace, err)
			return false, nil
		}
		content, passing = foreign, ending
		if len(content) == 0 && len(passing) > 0 {
			s.say("waiting until %s in namespace %s is deleted", enumerate(passing), namespace)
		}
		return len(content) > 0 || len(passing) == 0, nil
	})
	switch {
	case ctx.Err() != nil && len(passing) > 0:
		return "", fmt.Errorf("%s in namespace %s is not deleted yet: %w", enumerate(passing), namespace, ctx.Err())
	case ctx.Err() != nil:
		return "", fmt.Errorf("interrupted while looking for other objects in namespace %s: %w", namespace, ctx.Err())
	case failed != nil:
		return "", s.explainUnavailable(ctx, fmt.Errorf("cannot list the objects in namespace %s: %w", namespace, failed))
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
func (s *session) inside(ctx context.Context, namespace string, own residents) (content, passing []string, err error) {
	kinds, err := s.namespacedKinds()
	if err != nil {
		return nil, nil, err
	}
	client, err := s.metadata()
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
	j, err := s.judge(ctx, namespace, own, all)
	if err != nil {
		return nil, nil, err
	}
	content, passing = j.sort(all)
	return content, passing, nil
}

// namespacedKinds returns the kinds of which objects can be listed and deleted in a
// namespace. It returns an error if the API server does not list all of them.
func (s *session) namespacedKinds() (map[schema.GroupKind]schema.GroupVersionResource, error) {
	lists, err := discovery.ServerPreferredNamespacedResources(s.typed.Discovery())
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
func (s *session) exists(ctx context.Context, owner metav1.OwnerReference) (bool, error) {
	gv, err := schema.ParseGroupVersion(owner.APIVersion)
	if err != nil {
		return false, err
	}
	mapper, err := s.config.RESTClientGetter.ToRESTMapper()
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
	client, err := s.metadata()
	if err != nil {
		return false, err
	}
	if mapping.Scope.Name() != meta.RESTScopeNameRoot {
		return false, nil // [session.inside] would have listed it
	}
	live, err := client.Resource(mapping.Resource).Get(ctx, owner.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return err == nil && live.UID == owner.UID, err
}
