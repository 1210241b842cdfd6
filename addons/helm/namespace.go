package helm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/metadata"

	"github.com/clusterlab-dev/lab/addons"
)

const (
	// settling is how long the objects of a namespace get to go that are about to. It is
	// longer than the 15 seconds for which a controller usually holds a lease.
	settling = 20 * time.Second

	settleInterval = time.Second

	// named is how many of the objects that keep a namespace are named.
	named = 5
)

// removeNamespaces deletes the namespaces that lab created for the addon, and those that
// its chart did, unless objects of others are in them. It tells whether there were any.
// Marks alone do not make a namespace the addon's: a copy of one has them, too.
func (s *session) removeNamespaces(ctx context.Context, addon string, own residents) (bool, error) {
	all, err := s.typed.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
	if err != nil {
		return false, err
	}
	found := false
	var gone []corev1.Namespace
	for _, n := range all.Items {
		// Whichever addon lab created it for: that one may be gone, and have left it to this one.
		home := n.Name == s.client.release.Namespace && n.Labels[addonLabel] != ""
		if !home && n.Labels[addonLabel] != addon && !isOf(&n, s.client.release) {
			continue
		}
		found = found || home && n.Labels[addonLabel] == addon
		reason := ""
		if !home && !own.has(&n) {
			reason = "it has the marks of this addon, but this addon did not create it"
		} else {
			s.say("looking for other objects in namespace %s", n.Name)
			reason, err = s.settled(ctx, n.Name, own)
		}
		if err != nil {
			return found, err
		}
		if reason != "" {
			s.client.kept = append(s.client.kept, addons.Kept{Object: addons.Object{Kind: "Namespace", Name: n.Name}, Reason: reason})
			continue
		}
		options := metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &n.UID}}
		err = s.typed.CoreV1().Namespaces().Delete(ctx, n.Name, options)
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			return found, err
		}
		gone = append(gone, n)
	}
	for _, n := range gone {
		if err := s.awaitNamespace(ctx, n); err != nil {
			return found, err
		}
	}
	return found, nil
}

// awaitDeletion waits until a namespace that is being deleted is gone: nothing can be created
// in it before.
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

// awaitNamespace waits until a namespace is deleted.
func (s *session) awaitNamespace(ctx context.Context, n corev1.Namespace) error {
	why := ""
	err := s.client.poll(func() (bool, error) {
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
	if err != nil {
		return fmt.Errorf("namespace %s is not deleted yet%s: %w", n.Name, why, err)
	}
	return nil
}

// remaining is what the API server says of a namespace that it cannot delete yet.
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

// settled says why a namespace must stay, or is "". It gives objects that are about to go
// the time for it.
func (s *session) settled(ctx context.Context, namespace string, own residents) (reason string, err error) {
	limited, cancel := context.WithTimeout(ctx, settling)
	defer cancel()
	patient := *s.client
	patient.ctx = limited
	err = patient.pollEvery(settleInterval, func() (bool, error) {
		content, passing, err := s.inside(ctx, namespace, own)
		switch {
		case ctx.Err() != nil:
			return false, ctx.Err()
		case err != nil:
			reason = fmt.Sprintf("lab cannot list everything in it: %v", err)
			return false, nil
		}
		reason = ""
		if len(content)+len(passing) > 0 {
			reason = "it has objects that do not belong to this addon: " + enumerate(append(content, passing...))
		}
		if len(content) == 0 && len(passing) > 0 {
			s.say("waiting for %s in namespace %s to go", enumerate(passing), namespace)
		}
		return len(content) > 0 || len(passing) == 0, nil
	})
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = nil // those that were about to go did not
	}
	return reason, err
}

func enumerate(all []string) string {
	if more := len(all) - named; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(all[:named], ", "), more)
	}
	return strings.Join(all, ", ")
}

// inside lists the objects in a namespace, of every kind, that are neither Kubernetes' nor
// the addon's: content stays, and passing is about to go.
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
			continue // the kind is gone
		}
		if err != nil {
			return nil, nil, fmt.Errorf("list %s: %w", resource.GroupResource(), err)
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
// namespace. It fails where the API server does not tell all of them.
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

func (s *session) metadata() (metadata.Interface, error) {
	config, err := s.config.RESTClientGetter.ToRESTConfig()
	if err != nil {
		return nil, err
	}
	return metadata.NewForConfig(config)
}

// exists tells whether an owner that is not in the namespace does.
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
		return false, nil // with its kind
	}
	if err != nil {
		return false, err
	}
	client, err := s.metadata()
	if err != nil {
		return false, err
	}
	if mapping.Scope.Name() != meta.RESTScopeNameRoot {
		return false, nil // it would have been listed
	}
	live, err := client.Resource(mapping.Resource).Get(ctx, owner.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return err == nil && live.UID == owner.UID, err
}
