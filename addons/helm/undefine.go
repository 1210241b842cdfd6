package helm

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/release"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/clusterlab-dev/lab/addons"
)

// remove deletes the definitions of the addon that nothing depends on, also those for
// which the chart sets the policy keep. It reports whether the addon had any.
func (ds definitions) remove(ctx context.Context, addon string) (bool, error) {
	there, err := ds.list(ctx)
	if err != nil {
		return false, err
	}
	var mine []metav1.PartialObjectMetadata
	for _, d := range there {
		if slices.Contains(owners(&d), addon) || isOf(&d, ds.client.release) {
			mine = append(mine, d)
		}
	}
	if len(mine) == 0 {
		return false, nil
	}
	client, err := ds.dynamic()
	if err != nil {
		return true, err
	}
	others, err := ds.everyRelease()
	if err != nil {
		return true, err
	}
	for _, d := range mine {
		if err := ds.removeOne(ctx, client, d, addon, others); err != nil {
			return true, err
		}
	}
	return true, nil
}

func (ds definitions) removeOne(
	ctx context.Context, client dynamic.Interface, d metav1.PartialObjectMetadata, addon string, others []*release.Release,
) error {
	definitions := client.Resource(definitionResource())
	reason := ds.user(&d, addon, others)
	needed := reason != ""
	if !needed {
		full, err := definitions.Get(ctx, d.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		reason = objectsOf(ctx, client, *full)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if reason != "" {
		ds.client.kept = append(ds.client.kept, addons.Kept{
			Object: addons.Object{Kind: "CustomResourceDefinition", Name: d.Name}, Reason: reason, Own: !needed,
		})
		return ds.disown(ctx, client, d, addon)
	}
	err := definitions.Delete(ctx, d.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &d.UID}})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("cannot delete the definition %s: %w", d.Name, err)
	}
	return nil
}

// disown removes the addon's label from a definition that another addon has, too. A definition that
// only this addon has keeps the label, so that the next installation and removal recognize it.
func (ds definitions) disown(ctx context.Context, client dynamic.Interface, d metav1.PartialObjectMetadata, addon string) error {
	if len(owners(&d)) < 2 {
		return nil
	}
	labels := map[string]any{ownerLabel(addon): nil}
	if d.Labels[addonLabel] == addon {
		labels[addonLabel] = nil
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": labels}})
	if err == nil {
		_, err = client.Resource(definitionResource()).Patch(ctx, d.Name, types.MergePatchType, patch, metav1.PatchOptions{})
	}
	return err
}

// user says which other addon, release or program uses a definition, or returns "".
func (ds definitions) user(d metav1.Object, addon string, others []*release.Release) string {
	for _, owner := range owners(d) {
		// An owner without a release was removed while another one needed the definition.
		there := slices.ContainsFunc(others, func(rel *release.Release) bool { return rel.Name == owner && rel.Labels[inputsLabel] != "" })
		if owner != addon && there {
			return fmt.Sprintf("the addon %s needs it", owner)
		}
	}
	for _, rel := range others {
		if own := rel.Name == ds.client.release.Name && rel.Namespace == ds.client.release.Namespace; !own && defines(rel, d.GetName()) {
			return fmt.Sprintf("the Helm release %s in namespace %s needs it", rel.Name, rel.Namespace)
		}
	}
	for _, f := range d.GetManagedFields() {
		if strings.HasPrefix(f.Manager, "kubectl") {
			return "it was changed with kubectl"
		}
	}
	return ""
}

// defines reports whether the chart of a release contains a definition. The record of a release
// lacks the dependencies of the chart.
func defines(rel *release.Release, name string) bool {
	manifests := []string{rel.Manifest}
	if rel.Chart != nil {
		for _, file := range rel.Chart.CRDObjects() {
			manifests = append(manifests, string(file.File.Data))
		}
	}
	return slices.ContainsFunc(manifests, func(manifest string) bool {
		return strings.Contains(manifest, name) && slices.ContainsFunc(documents(manifest), func(doc map[string]any) bool {
			return doc["kind"] == "CustomResourceDefinition" && nameOf(doc, "").Name == name
		})
	})
}

// everyRelease returns all releases of the cluster, including those not managed by lab.
func (ds definitions) everyRelease() ([]*release.Release, error) {
	list, err := releasesIn(ds.client.unbound, "").ListReleases()
	if err != nil {
		return nil, fmt.Errorf("cannot list the releases of the cluster: %w", err)
	}
	return list, nil
}

// objectsOf says that objects of the kind that d defines exist, or that they cannot be listed, or
// returns "".
func objectsOf(ctx context.Context, client dynamic.Interface, d unstructured.Unstructured) string {
	group, _, _ := unstructured.NestedString(d.Object, "spec", "group")
	plural, _, _ := unstructured.NestedString(d.Object, "spec", "names", "plural")
	version := listVersion(&d)
	if version == "" {
		return "its objects cannot be listed: none of its versions is served"
	}
	list, err := client.Resource(schema.GroupVersionResource{Group: group, Version: version, Resource: plural}).
		List(ctx, metav1.ListOptions{Limit: 1})
	switch {
	case apierrors.IsNotFound(err): // the API server never accepted the definition
		return ""
	case err != nil:
		return fmt.Sprintf("its objects cannot be listed: %v", err)
	case len(list.Items) == 0:
		return ""
	}
	n := int64(1)
	if more := list.GetRemainingItemCount(); more != nil {
		n += *more
	}
	first := list.Items[0]
	return fmt.Sprintf("it has %d objects, such as %s", n, strings.TrimPrefix(first.GetNamespace()+"/"+first.GetName(), "/"))
}

// listVersion returns the version in which objects of d are stored, if it is served: listing them
// then needs no conversion webhook. Otherwise it returns any served version.
func listVersion(d *unstructured.Unstructured) string {
	versions, _, _ := unstructured.NestedSlice(d.Object, "spec", "versions")
	for _, v := range versions {
		if v, ok := v.(map[string]any); ok && v["served"] == true && v["storage"] == true {
			name, _ := v["name"].(string)
			return name
		}
	}
	return servedVersion(d)
}
