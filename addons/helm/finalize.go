package helm

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"helm.sh/helm/v3/pkg/kube"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/resource"
)

// finalizing is the time that a controller has to finalize objects of its kinds.
const finalizing = 10 * time.Second

// removeCustom deletes the release's objects of custom kinds. It removes the finalizers of objects
// that their controller does not finalize in time, for example because it never ran: otherwise the
// deletion of their definitions and namespaces would never end.
func (rs releases) removeCustom(ctx context.Context, all kube.ResourceList) error {
	custom, err := rs.customKinds(ctx)
	if err != nil {
		return err
	}
	mine, err := rs.client.owned(all.Filter(func(i *resource.Info) bool {
		return isDeleted(i) && custom[i.Mapping.GroupVersionKind.GroupKind()]
	}))
	if err != nil || len(mine) == 0 {
		return err
	}
	if _, errs := rs.client.Client.Delete(mine); len(errs) > 0 {
		return errs[0]
	}
	limited, cancel := context.WithTimeout(ctx, finalizing)
	defer cancel()
	patient := *rs.client
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
		if err := rs.stripFinalizers(info, id); err != nil {
			return err
		}
	}
	return nil
}

// customKinds returns the kinds that are defined in the cluster.
func (rs releases) customKinds(ctx context.Context) (map[schema.GroupKind]bool, error) {
	client, err := rs.dynamic()
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
func (rs releases) stripFinalizers(info *resource.Info, id types.UID) error {
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

// unfinalize returns the command that removes the finalizers of an object.
func unfinalize(info *resource.Info) string {
	command := fmt.Sprintf("kubectl patch %s %s", info.Mapping.Resource.GroupResource(), info.Name)
	if info.Namespaced() {
		command += " --namespace " + info.Namespace
	}
	return command + ` --type merge --patch '{"metadata":{"finalizers":null}}'`
}
