package helm

import (
	"context"
	"fmt"
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

// removeCustom deletes the release's objects of custom kinds. What their controller does
// not finalize in time, as where it never ran, is freed of its finalizers: nobody else
// ever will, and definitions and namespaces would hang on it.
func (s *session) removeCustom(ctx context.Context, all kube.ResourceList) error {
	custom, err := s.customKinds(ctx)
	if err != nil {
		return err
	}
	mine := all.Filter(func(i *resource.Info) bool {
		return isDeleted(i) && custom[i.Mapping.GroupVersionKind.GroupKind()]
	})
	if len(mine) == 0 {
		return nil
	}
	if _, errs := s.client.Delete(mine); len(errs) > 0 {
		return errs[0]
	}
	limited, cancel := context.WithTimeout(ctx, finalizing)
	defer cancel()
	patient := *s.client
	patient.ctx = limited
	if patient.WaitForDelete(mine, finalizing) == nil {
		return nil
	}
	return s.free(mine)
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

// free takes the finalizers off objects that are being deleted.
func (s *session) free(list kube.ResourceList) error {
	for _, info := range list {
		helper := resource.NewHelper(info.Client, info.Mapping)
		_, err := helper.Patch(info.Namespace, info.Name, types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), nil)
		if err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("free %s %s of its finalizers: %w", info.Mapping.GroupVersionKind.Kind, info.Name, err)
		}
	}
	return nil
}

// removeSecrets deletes those that prepare made.
func (s *session) removeSecrets(ctx context.Context, last *release.Release) error {
	return s.typed.CoreV1().Secrets(last.Namespace).DeleteCollection(ctx, metav1.DeleteOptions{},
		metav1.ListOptions{LabelSelector: addonLabel + "=" + last.Name})
}

// removeDefinitions deletes the definitions of the addon, those that its chart wants to
// be kept included, of which there are no objects.
func (s *session) removeDefinitions(ctx context.Context, name string, all kube.ResourceList) ([]addons.Kept, error) {
	client, err := s.dynamic()
	if err != nil {
		return nil, err
	}
	list, err := client.Resource(definitionResource()).List(ctx, metav1.ListOptions{LabelSelector: addonLabel + "=" + name})
	if err != nil {
		return nil, err
	}
	mine := list.Items
	for _, info := range all.Filter(isDefinition) {
		d, err := client.Resource(definitionResource()).Get(ctx, info.Name, metav1.GetOptions{})
		if err == nil {
			mine = append(mine, *d)
		}
	}
	var kept []addons.Kept
	for _, d := range mine {
		n, err := count(ctx, client, d)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			kept = append(kept, addons.Kept{
				Object: addons.Object{Kind: "CustomResourceDefinition", Name: d.GetName()},
				Reason: fmt.Sprintf("objects of it are there: %d", n),
			})
			continue
		}
		err = client.Resource(definitionResource()).Delete(ctx, d.GetName(), metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return nil, err
		}
	}
	return kept, nil
}

// count returns how many objects there are of what d defines.
func count(ctx context.Context, client dynamic.Interface, d unstructured.Unstructured) (int, error) {
	group, _, _ := unstructured.NestedString(d.Object, "spec", "group")
	plural, _, _ := unstructured.NestedString(d.Object, "spec", "names", "plural")
	list, err := client.Resource(schema.GroupVersionResource{Group: group, Version: servedVersion(&d), Resource: plural}).
		List(ctx, metav1.ListOptions{})
	if apierrors.IsNotFound(err) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return len(list.Items), nil
}
