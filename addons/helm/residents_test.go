package helm

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v3/pkg/release"
	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/addons/addontest"
)

// TestVerdicts: each object that belongs neither to Kubernetes nor to the addon keeps a namespace.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	marks := map[string]string{releaseNameMark: "shop", releaseNamespaceMark: "shop"}
	keep := map[string]string{releaseNameMark: "shop", releaseNamespaceMark: "shop", keepAnnotation: "keep"}
	other := map[string]string{releaseNameMark: "shop", releaseNamespaceMark: "elsewhere"}
	hook := map[string]string{hookMark: "pre-install"}
	deleted := &metav1.Time{Time: time.Now()}
	type o = metav1.ObjectMeta
	own := ownOf(addons.Addon{Leftovers: []addons.Object{{Kind: "Secret", Name: "leftover"}}})
	own.add(&release.Release{
		Manifest: addontest.ConfigMap("settings", "x") + "---\n" + addontest.ConfigMap("kept", "x"),
		Hooks:    []*release.Hook{{Kind: "Job", Name: "migrate"}, {Kind: "PersistentVolumeClaim", Name: "hooked"}},
	})
	j := &judge{
		home: true, own: own, release: types.NamespacedName{Namespace: "shop", Name: "shop"},
		byID: map[types.UID]resident{}, owned: map[types.UID]bool{"cluster-owned": true}, leases: map[string]verdict{"old": ignored, "held": going},
	}
	all := []struct {
		kind string
		o
		want verdict
	}{
		{"ServiceAccount", o{Name: "default"}, system},
		{"ServiceAccount", o{Name: "robot"}, theirs},
		{"ConfigMap", o{Name: "kube-root-ca.crt"}, system},
		{"ConfigMap", o{Name: "mine", UID: "mine"}, theirs},
		{"Event", o{Name: "x"}, system},
		{"Endpoints", o{Name: "of-a-service", Labels: map[string]string{"endpoints.kubernetes.io/managed-by": "endpoint-controller"}}, system},
		{"Endpoints", o{Name: "by-hand"}, theirs},
		{"ConfigMap", o{Name: "settings", Annotations: marks, UID: "settings"}, ignored},
		{"ConfigMap", o{Name: "settings"}, theirs},
		{"ConfigMap", o{Name: "settings", Annotations: other}, theirs},
		{"ConfigMap", o{Name: "kept", Annotations: keep}, theirs},
		{"ConfigMap", o{Name: "copied", Annotations: marks}, theirs},
		{"Job", o{Name: "migrate", Annotations: hook}, ignored},
		{"Job", o{Name: "migrate"}, theirs},
		{"PersistentVolumeClaim", o{Name: "hooked", Annotations: hook}, theirs},
		{"Job", o{Name: "other", Annotations: hook}, theirs},
		{"Secret", o{Name: "leftover"}, ignored},
		{"Secret", o{Name: "sh.helm.release.v1.other.v1"}, theirs},
		{"PersistentVolumeClaim", o{Name: "data"}, theirs},
		{"Pod", o{Name: "ending", DeletionTimestamp: deleted}, ignored},
		{"PersistentVolumeClaim", o{Name: "ending", DeletionTimestamp: deleted, Finalizers: []string{"x"}, UID: "ending"}, going},
		{"Lease", o{Name: "old"}, ignored},
		{"Lease", o{Name: "held", UID: "held"}, going},
		{"Pod", o{Name: "of-nobody", OwnerReferences: ownedBy("gone")}, ignored},
		{"Pod", o{Name: "of-theirs", OwnerReferences: ownedBy("mine")}, covered},
		{"Pod", o{Name: "of-ours", OwnerReferences: ownedBy("settings"), UID: "of-ours"}, ignored},
		{"Pod", o{Name: "of-ours-below", OwnerReferences: ownedBy("of-ours")}, ignored},
		{"Pod", o{Name: "of-ours-and-theirs", OwnerReferences: ownedBy("settings", "mine")}, covered},
		{"Pod", o{Name: "of-ending", OwnerReferences: ownedBy("ending")}, going},
		{"Pod", o{Name: "of-cluster", OwnerReferences: ownedBy("gone"), UID: "cluster-owned"}, theirs},
		{"Pod", o{Name: "circle-a", OwnerReferences: ownedBy("circle-b"), UID: "circle-a"}, covered},
		{"Pod", o{Name: "circle-b", OwnerReferences: ownedBy("circle-a"), UID: "circle-b"}, covered},
		{"Secret", o{Name: "of-system", OwnerReferences: ownedBy("root")}, theirs},
		{"ServiceAccount", o{Name: "default", UID: "root"}, system},
	}
	for _, test := range all {
		if test.UID != "" {
			j.byID[test.UID] = residentOf(test.kind, test.o)
		}
	}
	for _, test := range all {
		if got := j.verdict(residentOf(test.kind, test.o)); got != test.want {
			t.Errorf("%s %s: %d, want %d", test.kind, test.Name, got, test.want)
		}
	}
}

// TestSortNamesCycles: objects that own each other keep the namespace.
func TestSortNamesCycles(t *testing.T) {
	t.Parallel()
	a := residentOf("Pod", metav1.ObjectMeta{Name: "a", UID: "a", OwnerReferences: ownedBy("b")})
	b := residentOf("Pod", metav1.ObjectMeta{Name: "b", UID: "b", OwnerReferences: ownedBy("a")})
	j := &judge{byID: map[types.UID]resident{"a": a, "b": b}}
	content, passing := j.sort([]resident{b, a})
	if diff := cmp.Diff([]string{"Pod a", "Pod b"}, content); diff != "" || len(passing) > 0 {
		t.Errorf("%q; (-want +got):\n%s", passing, diff)
	}
}

func residentOf(kind string, o metav1.ObjectMeta) resident {
	group := map[string]string{"Job": "batch", "Lease": "coordination.k8s.io"}[kind]
	return resident{schema.GroupKind{Group: group, Kind: kind}, &metav1.PartialObjectMetadata{ObjectMeta: o}}
}

func ownedBy(ids ...types.UID) (all []metav1.OwnerReference) {
	for _, id := range ids {
		all = append(all, metav1.OwnerReference{UID: id})
	}
	return all
}

func TestLeases(t *testing.T) {
	t.Parallel()
	now, seconds := time.Now(), int32(15)
	lease := func(renewed time.Duration) *coordinationv1.Lease {
		return &coordinationv1.Lease{Spec: coordinationv1.LeaseSpec{
			RenewTime: &metav1.MicroTime{Time: now.Add(renewed)}, LeaseDurationSeconds: &seconds}}
	}
	got := []verdict{leaseOf(lease(-time.Second), now), leaseOf(lease(-time.Minute), now), leaseOf(&coordinationv1.Lease{}, now)}
	if diff := cmp.Diff([]verdict{going, ignored, theirs}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
