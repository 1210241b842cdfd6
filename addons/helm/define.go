package helm

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clusterlab-dev/lab/addons"
)

// manager and the addon's name, joined by '-', are the field manager of lab's definitions, so that
// the API server knows which addons set a field.
const manager = "lab"

// Define implements [addons.Installer]. It uses server-side apply, which stores no copy of a
// definition in an annotation: annotations hold 262,144 bytes, and some definitions have three
// times as many.
func (Installer) Define(ctx context.Context, c addons.Cluster, r addons.Release) ([]addons.Kept, error) {
	list, err := definitionsOf(r)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	s, err := connect(ctx, c, r.Addon.In(), nil)
	if err != nil {
		return nil, err
	}
	s.client.release = types.NamespacedName{Namespace: r.Addon.In(), Name: r.Addon.Name}
	last, err := s.releases().last(r.Addon.Name)
	if err != nil {
		return nil, err
	}
	there, err := s.definitions().list(ctx)
	if err != nil {
		return nil, s.explain(ctx, err)
	}
	current := last != nil && isCurrent(last, r)
	errs, differs := make([]error, len(list)), make([]string, len(list))
	var wg sync.WaitGroup
	var applied []*unstructured.Unstructured
	// All at once, because the server rebuilds its API description after each change.
	for i, d := range list {
		was, known := there[d.GetName()]
		if current && known {
			continue
		}
		if known && len(owners(&was)) == 0 && !isOf(&was, s.client.release) {
			wg.Go(func() { differs[i], errs[i] = s.definitions().compare(ctx, d) })
			continue
		}
		applied = append(applied, d)
		wg.Go(func() { differs[i], errs[i] = s.definitions().apply(ctx, r.Addon.Name, d) })
	}
	wg.Wait()
	var kept []addons.Kept
	for i, reason := range differs {
		if reason != "" {
			kept = append(kept, addons.Kept{Object: addons.Object{Kind: "CustomResourceDefinition", Name: list[i].GetName()}, Reason: reason})
		}
	}
	if err := errors.Join(errs...); err != nil {
		return kept, s.explain(ctx, err)
	}
	return kept, s.explain(ctx, s.definitions().await(applied))
}

// owners returns the addons whose labels a definition has. Without any, lab did not create it.
func owners(d metav1.Object) []string {
	var all []string
	for key, value := range d.GetLabels() {
		if name, ok := strings.CutPrefix(key, ownerPrefix); ok {
			all = append(all, name)
		} else if key == addonLabel {
			all = append(all, value)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// ownerPrefix is the prefix of the labels of a definition. Each addon has its own label, because
// several addons may provide the same definition.
const ownerPrefix = "addon.clusterlab.dev/"

func ownerLabel(addon string) string { return ownerPrefix + addon }

// list returns the metadata of the cluster's definitions, by name. It does not transfer their
// bodies, which have several megabytes.
func (ds definitions) list(ctx context.Context) (map[string]metav1.PartialObjectMetadata, error) {
	client, err := ds.metadata()
	if err != nil {
		return nil, err
	}
	list, err := client.Resource(definitionResource()).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("cannot list the custom resource definitions: %w", err)
	}
	there := map[string]metav1.PartialObjectMetadata{}
	for _, d := range list.Items {
		there[d.Name] = d
	}
	return there, nil
}

// apply applies one definition for an addon. A different definition that belongs to another addon, or that another program changed, is kept:
// reason says why.
func (ds definitions) apply(ctx context.Context, addon string, d *unstructured.Unstructured) (reason string, err error) {
	if version := d.GetAPIVersion(); version != definitionResource().GroupVersion().String() {
		return "", fmt.Errorf("no matches for kind %q in version %q", d.GetKind(), version) // as Helm says it, for [session.explain]
	}
	labels := d.GetLabels() // a copy
	if labels == nil {
		labels = map[string]string{}
	}
	labels[ownerLabel(addon)] = "true"
	d.SetLabels(labels)
	err = ds.patch(ctx, addon, d, false)
	if apierrors.IsConflict(err) {
		reason, err = ds.settleConflict(ctx, addon, d, err)
	}
	if err != nil {
		return "", fmt.Errorf("cannot apply the definition %s: %w", d.GetName(), err)
	}
	return reason, nil
}

func (ds definitions) patch(ctx context.Context, addon string, d *unstructured.Unstructured, force bool) error {
	client, err := ds.dynamic()
	if err != nil {
		return err
	}
	_, err = client.Resource(definitionResource()).Apply(ctx, d.GetName(), d, metav1.ApplyOptions{FieldManager: manager + "-" + addon, Force: force})
	return err
}

// settleConflict handles a definition in which another manager set fields to other values. It
// overwrites values that no other addon or program uses. Otherwise it adds only this addon's label,
// and returns the reason.
func (ds definitions) settleConflict(ctx context.Context, addon string, d *unstructured.Unstructured, conflict error) (reason string, err error) {
	client, err := ds.metadata()
	if err != nil {
		return "", err
	}
	was, err := client.Resource(definitionResource()).Get(ctx, d.GetName(), metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	other := holder(conflict, addon, owners(was))
	if other == "" {
		return "", ds.patch(ctx, addon, d, true)
	}
	mark := &unstructured.Unstructured{}
	mark.SetGroupVersionKind(d.GroupVersionKind())
	mark.SetName(d.GetName())
	mark.SetLabels(map[string]string{ownerLabel(addon): "true"})
	return fmt.Sprintf("it differs from the one in the chart of %s, and %s", addon, other), ds.patch(ctx, addon, mark, false)
}

// holder says which other addon or program set a field of a definition with those owners, or
// returns "".
func holder(conflict error, addon string, owners []string) string {
	status, ok := errors.AsType[*apierrors.StatusError](conflict)
	if !ok || status.ErrStatus.Details == nil {
		return conflict.Error()
	}
	for _, cause := range status.ErrStatus.Details.Causes {
		// The message is: conflict with "MANAGER" using VERSION.
		_, rest, _ := strings.Cut(cause.Message, `"`)
		name, _, _ := strings.Cut(rest, `"`)
		of, isAddon := strings.CutPrefix(name, manager+"-")
		switch {
		case name == manager: // of an earlier lab, when a definition had one owner
			if i := slices.IndexFunc(owners, func(o string) bool { return o != addon }); i >= 0 {
				return "belongs to the addon " + owners[i]
			}
		case !isAddon:
			return fmt.Sprintf("was changed by another program (%s)", name)
		case of != addon && slices.Contains(owners, of):
			return "belongs to the addon " + of
		}
	}
	return ""
}

// compare says that a definition that lab did not create differs from d, or returns "". It changes
// nothing.
func (ds definitions) compare(ctx context.Context, d *unstructured.Unstructured) (string, error) {
	client, err := ds.dynamic()
	if err != nil {
		return "", err
	}
	_, err = client.Resource(definitionResource()).Apply(ctx, d.GetName(), d, metav1.ApplyOptions{FieldManager: manager, DryRun: []string{metav1.DryRunAll}})
	if apierrors.IsConflict(err) || apierrors.IsInvalid(err) {
		return "it differs from the one in the chart, and is not managed by lab", nil
	}
	return "", err
}

// await waits until the API server serves the kinds that all define. It asks once for
// each group and version, because a chart has many definitions in few of them, and the server is
// busy with the same definitions.
func (ds definitions) await(all []*unstructured.Unstructured) error {
	missing := map[string][]*unstructured.Unstructured{} // by group and version
	for _, d := range all {
		if servedVersion(d) == "" {
			continue // it only reserves its names
		}
		group, _, _ := unstructured.NestedString(d.Object, "spec", "group")
		version := group + "/" + servedVersion(d)
		missing[version] = append(missing[version], d)
	}
	err := poll(ds.client.ctx, interval, func(context.Context) (bool, error) {
		for version := range missing {
			served, err := ds.typed.Discovery().ServerResourcesForGroupVersion(version)
			if apierrors.IsNotFound(err) {
				continue
			}
			if err != nil {
				return false, err
			}
			missing[version] = slices.DeleteFunc(missing[version], func(d *unstructured.Unstructured) bool { return serves(served, d) })
			if len(missing[version]) == 0 {
				delete(missing, version)
			}
		}
		return len(missing) == 0, nil
	})
	if err == nil || len(missing) == 0 {
		return err
	}
	first := slices.Min(slices.Collect(maps.Keys(missing)))
	name := missing[first][0].GetName()
	return fmt.Errorf("the definition %s is not served yet%s: %w", name, ds.refusal(name), err)
}

// refusal returns the API server's reason for not serving a definition, or "". It asks the cluster although the context of
// the session may have ended.
func (ds definitions) refusal(name string) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ds.client.ctx), explaining)
	defer cancel()
	body, err := ds.client.unbound.Discovery().RESTClient().Get().AbsPath("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", name).DoRaw(ctx)
	var definition struct {
		Status struct{ Conditions []metav1.Condition }
	}
	if err != nil || json.Unmarshal(body, &definition) != nil {
		return ""
	}
	for _, c := range definition.Status.Conditions {
		if c.Type == "NamesAccepted" && c.Status == metav1.ConditionFalse {
			return " (" + cmp.Or(c.Message, c.Reason) + ")"
		}
	}
	return ""
}

// serves reports whether a list of served resources has the one that d defines.
func serves(served *metav1.APIResourceList, d *unstructured.Unstructured) bool {
	plural, _, _ := unstructured.NestedString(d.Object, "spec", "names", "plural")
	return slices.ContainsFunc(served.APIResources, func(r metav1.APIResource) bool { return r.Name == plural })
}

// servedVersion returns a version in which objects of d are served.
func servedVersion(d *unstructured.Unstructured) string {
	versions, _, _ := unstructured.NestedSlice(d.Object, "spec", "versions")
	for _, v := range versions {
		if v, ok := v.(map[string]any); ok && v["served"] == true {
			name, _ := v["name"].(string)
			return name
		}
	}
	return ""
}

// definitionResource returns the resource of custom resource definitions.
func definitionResource() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
}
