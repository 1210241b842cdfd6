package helm

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"helm.sh/helm/v3/pkg/kube"
	"helm.sh/helm/v3/pkg/release"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/resource"
	"k8s.io/client-go/dynamic"

	"github.com/clusterlab-dev/lab/addons"
)

// finalizing is how long a controller gets to finalize the objects of its kinds.
const finalizing = 10 * time.Second

const keepAnnotation = kube.ResourcePolicyAnno

// definitionResource is what custom resource definitions are served as.
func definitionResource() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
}

// isDeleted tells whether Helm deletes an object with its release.
func isDeleted(info *resource.Info) bool {
	object, ok := info.Object.(*unstructured.Unstructured)
	return !ok || object.GetAnnotations()[keepAnnotation] != kube.KeepPolicy
}

func isDefinition(info *resource.Info) bool {
	return info.Mapping.GroupVersionKind.Kind == "CustomResourceDefinition"
}

func (s *session) dynamic() (dynamic.Interface, error) {
	config, err := s.config.RESTClientGetter.ToRESTConfig()
	if err != nil {
		return nil, err
	}
	return dynamic.NewForConfig(config)
}

// removeCustom deletes the release's objects of custom kinds. It strips the finalizers of
// those that their controller does not finalize in time, as where it never ran: no other
// program ever will, and definitions and namespaces would hang on them.
func (s *session) removeCustom(ctx context.Context, all kube.ResourceList) error {
	custom, err := s.customKinds(ctx)
	if err != nil {
		return err
	}
	mine, err := s.client.owned(all.Filter(func(i *resource.Info) bool {
		return isDeleted(i) && custom[i.Mapping.GroupVersionKind.GroupKind()]
	}))
	if err != nil || len(mine) == 0 {
		return err
	}
	if _, errs := s.client.Client.Delete(mine); len(errs) > 0 {
		return errs[0]
	}
	limited, cancel := context.WithTimeout(ctx, finalizing)
	defer cancel()
	patient := *s.client
	patient.ctx = limited
	for _, info := range mine {
		id := uidOf(info)
		err := patient.WaitForDelete(kube.ResourceList{info}, finalizing)
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return err
		}
		if err := s.stripFinalizers(info, id); err != nil {
			return err
		}
	}
	return nil
}

// customKinds returns the kinds that are defined in the cluster.
func (s *session) customKinds(ctx context.Context) (map[schema.GroupKind]bool, error) {
	client, err := s.dynamic()
	if err != nil {
		return nil, err
	}
	definitions, err := client.Resource(definitionResource()).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	custom := map[schema.GroupKind]bool{}
	for _, d := range definitions.Items {
		group, _, _ := unstructured.NestedString(d.Object, "spec", "group")
		kind, _, _ := unstructured.NestedString(d.Object, "spec", "names", "kind")
		custom[schema.GroupKind{Group: group, Kind: kind}] = true
	}
	return custom, nil
}

// stripFinalizers removes the finalizers of the object of the release with that ID, which
// is being deleted. The API server refuses to change another object of its name.
func (s *session) stripFinalizers(info *resource.Info, id types.UID) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": id, "finalizers": nil}})
	if err != nil {
		return err
	}
	_, err = resource.NewHelper(info.Client, info.Mapping).Patch(info.Namespace, info.Name, types.MergePatchType, patch, nil)
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("cannot remove the finalizers of %s %s: %w", info.Mapping.GroupVersionKind.Kind, info.Name, err)
	}
	return nil
}

// removeDefinitions deletes the definitions of the addon that nothing depends on, those
// that its chart wants to be kept included. It tells whether there were any.
func (s *session) removeDefinitions(ctx context.Context, addon string) (bool, error) {
	there, err := s.defined(ctx)
	if err != nil {
		return false, err
	}
	var mine []metav1.PartialObjectMetadata
	for _, d := range there {
		if slices.Contains(owners(&d), addon) || isOf(&d, s.client.release) {
			mine = append(mine, d)
		}
	}
	if len(mine) == 0 {
		return false, nil
	}
	client, err := s.dynamic()
	if err != nil {
		return true, err
	}
	others, err := s.everyRelease()
	if err != nil {
		return true, err
	}
	for _, d := range mine {
		if err := s.removeDefinition(ctx, client, d, addon, others); err != nil {
			return true, err
		}
	}
	return true, nil
}

func (s *session) removeDefinition(
	ctx context.Context, client dynamic.Interface, d metav1.PartialObjectMetadata, addon string, others []*release.Release,
) error {
	definitions := client.Resource(definitionResource())
	reason := s.definitionUser(&d, addon, others)
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
		s.client.kept = append(s.client.kept, addons.Kept{
			Object: addons.Object{Kind: "CustomResourceDefinition", Name: d.Name}, Reason: reason, Own: !needed,
		})
		return s.disown(ctx, client, d, addon)
	}
	err := definitions.Delete(ctx, d.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &d.UID}})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("cannot delete the definition %s: %w", d.Name, err)
	}
	return nil
}

// disown removes the addon's mark from a definition that another addon has, too. One that
// only this addon has keeps it, so that the next installation and removal know it.
func (s *session) disown(ctx context.Context, client dynamic.Interface, d metav1.PartialObjectMetadata, addon string) error {
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

// definitionUser says who beside the addon uses a definition, or is "".
func (s *session) definitionUser(d metav1.Object, addon string, others []*release.Release) string {
	for _, owner := range owners(d) {
		// One without a release was removed while another addon or release needed the definition.
		there := slices.ContainsFunc(others, func(rel *release.Release) bool { return rel.Name == owner && rel.Labels[inputsLabel] != "" })
		if owner != addon && there {
			return fmt.Sprintf("the addon %s needs it", owner)
		}
	}
	for _, rel := range others {
		if own := rel.Name == s.client.release.Name && rel.Namespace == s.client.release.Namespace; !own && defines(rel, d.GetName()) {
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

// defines tells whether the chart of a release brings a definition. The record of a release
// lacks the charts that its chart depends on.
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

// everyRelease returns all releases of the cluster, lab's and others.
func (s *session) everyRelease() ([]*release.Release, error) {
	list, err := releasesIn(s.client.unbound, "").ListReleases()
	if err != nil {
		return nil, fmt.Errorf("cannot list the releases of the cluster: %w", err)
	}
	return list, nil
}

// objectsOf says which objects of what d defines exist, or is "". Where they cannot be
// listed, there may be some.
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
	case apierrors.IsNotFound(err): // it was never accepted
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

// listVersion returns the version in which objects of d are stored, if it is served: no
// webhook has to convert them then. Else it returns any version that is served.
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
