package helm

import (
	"context"
	"slices"
	"strings"
	"time"

	"helm.sh/helm/v3/pkg/kube"
	"helm.sh/helm/v3/pkg/release"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clusterlab-dev/lab/addons"
)

// resident is an object in a namespace.
type resident struct {
	kind schema.GroupKind
	*metav1.PartialObjectMetadata
}

func (r resident) String() string { return r.kind.Kind + " " + r.Name }

// residents are the objects of an addon, as its charts and its definition name them. An object of a
// chart counts only with the annotations of the release, and a hook only with that of hooks,
// because another program may have created an object of that name.
type residents struct {
	release, hooks, leftovers map[string]bool // "KIND NAME"
}

// ownOf returns the objects that the definition of an addon names.
func ownOf(a addons.Addon) residents {
	own := residents{map[string]bool{}, map[string]bool{}, map[string]bool{}}
	for _, o := range a.Leftovers {
		own.leftovers[o.Kind+" "+o.Name] = true
	}
	return own
}

// has reports whether the chart of the addon has a namespace, which has the addon's marks. If
// an interrupted removal of an earlier lab left no record of the chart, it does unless kubectl
// wrote the namespace.
func (r residents) has(n *corev1.Namespace) bool {
	if len(r.release)+len(r.hooks) > 0 {
		return r.release["Namespace "+n.Name] || r.hooks["Namespace "+n.Name]
	}
	return !slices.ContainsFunc(n.ManagedFields, func(f metav1.ManagedFieldsEntry) bool { return strings.HasPrefix(f.Manager, "kubectl") })
}

// add adds the objects of revisions of the release.
func (r residents) add(revisions ...*release.Release) {
	for _, rel := range revisions {
		for _, doc := range documents(rel.Manifest) {
			o := nameOf(doc, "")
			r.release[o.Kind+" "+o.Name] = true
		}
		for _, hook := range rel.Hooks {
			r.hooks[hook.Kind+" "+hook.Name] = true
		}
	}
}

// deepest bounds chains of owners: a longer one is a cycle.
const deepest = 16

// verdict says how an object affects the deletion of its namespace.
type verdict int

const (
	ignored verdict = iota // belongs to the addon, or is deleted with its owner
	system                 // created by Kubernetes
	going                  // about to be deleted
	theirs                 // does not belong to the addon, or has unknown origin
	covered                // owned by an object that is theirs, which is named instead
)

// judge gives verdicts on the objects of one namespace.
type judge struct {
	home    bool // whether it is the namespace of the release
	own     residents
	release types.NamespacedName
	byID    map[types.UID]resident
	owned   map[types.UID]bool // objects with an owner that exists elsewhere
	leases  map[string]verdict // by name
}

// judge collects the data that verdicts need.
func (ns namespaces) judge(ctx context.Context, namespace string, own residents, all []resident) (*judge, error) {
	j := &judge{
		home: namespace == ns.client.release.Namespace, own: own, release: ns.client.release,
		byID: map[types.UID]resident{}, owned: map[types.UID]bool{}, leases: map[string]verdict{},
	}
	for _, r := range all {
		j.byID[r.UID] = r
	}
	hasLeases := false
	for _, r := range all {
		hasLeases = hasLeases || isLease(r)
		for _, owner := range r.OwnerReferences {
			if _, inside := j.byID[owner.UID]; inside {
				continue
			}
			there, err := ns.exists(ctx, owner)
			if err != nil {
				return nil, err
			}
			j.owned[r.UID] = j.owned[r.UID] || there
		}
	}
	if !hasLeases {
		return j, nil
	}
	leases, err := ns.typed.CoordinationV1().Leases(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	for i := range leases.Items {
		j.leases[leases.Items[i].Name] = leaseOf(&leases.Items[i], time.Now())
	}
	return j, nil
}

// sort returns the names of the objects that keep the namespace, and of those that are about to be
// deleted.
func (j *judge) sort(all []resident) (content, passing []string) {
	var hidden []string
	for _, r := range all {
		switch j.verdict(r) {
		case theirs:
			content = append(content, r.String())
		case covered:
			hidden = append(hidden, r.String())
		case going:
			passing = append(passing, r.String())
		}
	}
	if len(content) == 0 {
		content = hidden // objects that own each other
	}
	slices.Sort(content)
	slices.Sort(passing)
	return content, passing
}

// verdict judges an object, by its owners if it has any. If none of them exists, Kubernetes deletes
// the object.
func (j *judge) verdict(r resident) verdict { return j.below(r, 0) }

func (j *judge) below(r resident, depth int) verdict {
	if len(r.OwnerReferences) == 0 {
		return j.alone(r)
	}
	if j.owned[r.UID] || depth > deepest {
		return theirs
	}
	v := ignored
	for _, owner := range r.OwnerReferences {
		o, inside := j.byID[owner.UID]
		if !inside {
			continue
		}
		switch of := j.below(o, depth+1); of {
		case theirs, covered:
			return covered
		case system: // such an object is never deleted, and neither is this one
			v = theirs
		default:
			v = max(v, of)
		}
	}
	return v
}

// alone judges an object without owners.
func (j *judge) alone(r resident) verdict {
	name := r.kind.Kind + " " + r.Name
	isRelease := j.own.release[name] && isOf(r, j.release) && r.Annotations[keepAnnotation] != kube.KeepPolicy
	isHook := j.own.hooks[name] && r.Annotations[hookMark] != "" && r.kind.Kind != "PersistentVolumeClaim" // which holds data
	switch {
	case isSystem(r):
		return system
	case isRelease, isHook, j.home && j.own.leftovers[name], j.home && isRecord(r, j.release):
		return ignored
	case r.DeletionTimestamp != nil && len(r.Finalizers) == 0:
		return ignored
	case r.DeletionTimestamp != nil:
		return going
	case isLease(r):
		return j.leases[r.Name]
	}
	return theirs
}

// isSystem reports whether Kubernetes creates an object in every namespace, or derives it from
// another object.
func isSystem(r resident) bool {
	switch r.kind {
	case schema.GroupKind{Kind: "ServiceAccount"}:
		return r.Name == "default"
	case schema.GroupKind{Kind: "ConfigMap"}:
		return r.Name == "kube-root-ca.crt"
	case schema.GroupKind{Kind: "Event"}, schema.GroupKind{Group: "events.k8s.io", Kind: "Event"}:
		return true
	case schema.GroupKind{Kind: "Endpoints"}:
		// They belong to a Service, which is judged itself or was just deleted.
		_, derived := r.Annotations[corev1.EndpointsLastChangeTriggerTime]
		return derived || r.Labels["endpoints.kubernetes.io/managed-by"] == "endpoint-controller"
	}
	return false
}

func isLease(r resident) bool {
	return r.kind == schema.GroupKind{Group: coordinationv1.GroupName, Kind: "Lease"}
}

// leaseOf judges a lease, which only names a leader. The program that held an expired lease has
// ended. A lease that was never held has unknown origin.
func leaseOf(l *coordinationv1.Lease, now time.Time) verdict {
	renewed, seconds := l.Spec.RenewTime, l.Spec.LeaseDurationSeconds
	if renewed == nil || seconds == nil {
		return theirs
	}
	if now.After(renewed.Add(time.Duration(*seconds) * time.Second)) {
		return ignored
	}
	return going
}
