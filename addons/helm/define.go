package helm

import (
	"bytes"
	"context"
	"fmt"

	"helm.sh/helm/v3/pkg/chartutil"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/resource"
	"sigs.k8s.io/yaml"

	"github.com/clusterlab-dev/lab/addons"
)

// manager is who the API server is told sets fields.
const manager = "lab"

// Define implements [addons.Installer]. Definitions are applied by the server, which
// keeps no copy of them in an annotation: those have room for 262 kB, and there are
// definitions of three times that.
func (Installer) Define(ctx context.Context, c addons.Cluster, r addons.Release) error {
	manifest, err := definitions(r)
	if err != nil || len(manifest) == 0 {
		return err
	}
	s, err := connect(ctx, c, r.Addon.In(), nil)
	if err != nil {
		return err
	}
	infos, err := s.client.Build(bytes.NewReader(manifest), false)
	if err != nil {
		return explain(ctx, fmt.Errorf("the definitions of %s: %w", r.Addon.Name, err))
	}
	last, err := s.last(r.Addon.Name)
	if err != nil {
		return err
	}
	current := last != nil && isCurrent(last, c, r)
	for _, info := range infos {
		if err := s.define(info, r.Addon.Name, current); err != nil {
			return explain(ctx, fmt.Errorf("the definition %s: %w", info.Name, err))
		}
	}
	return s.established(infos)
}

// definitions returns the custom resource definitions in the crds directories of a chart
// and of those that it depends on, as far as values do not switch them off.
func definitions(r addons.Release) ([]byte, error) {
	loaded, err := load(r.Chart)
	if err != nil {
		return nil, err
	}
	if err := chartutil.ProcessDependenciesWithMerge(loaded, chartutil.Values(r.Values)); err != nil {
		return nil, err
	}
	if err := complete(loaded); err != nil {
		return nil, err
	}
	var manifest bytes.Buffer
	for _, file := range loaded.CRDObjects() {
		for _, doc := range documents(string(file.File.Data)) {
			if doc["kind"] != "CustomResourceDefinition" {
				continue // such as a kustomization.yaml
			}
			text, err := yaml.Marshal(doc)
			if err != nil {
				return nil, err
			}
			manifest.WriteString("---\n")
			manifest.Write(text)
		}
	}
	return manifest.Bytes(), nil
}

// define applies one definition. current: it was applied already, and is only looked for.
func (s *session) define(info *resource.Info, addon string, current bool) error {
	helper := resource.NewHelper(info.Client, info.Mapping)
	found, err := helper.Get("", info.Name)
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	if found != nil && err == nil && current {
		return nil
	}
	object, ok := info.Object.(*unstructured.Unstructured)
	if !ok {
		return fmt.Errorf("it is a %T", info.Object)
	}
	// One that was there before lab came must stay when the addon goes.
	if apierrors.IsNotFound(err) || labelOf(found, addonLabel) != "" {
		labels := object.GetLabels()
		if labels == nil {
			labels = map[string]string{}
		}
		labels[addonLabel] = addon
		object.SetLabels(labels)
	}
	data, err := object.MarshalJSON()
	if err != nil {
		return err
	}
	force := true
	_, err = helper.Patch("", info.Name, types.ApplyPatchType, data, &metav1.PatchOptions{FieldManager: manager, Force: &force})
	return err
}

// established waits until the API server serves what was defined.
func (s *session) established(infos []*resource.Info) error {
	for _, info := range infos {
		err := s.client.poll(func() (bool, error) {
			found, err := resource.NewHelper(info.Client, info.Mapping).Get("", info.Name)
			if err != nil {
				return false, err
			}
			object, _ := found.(*unstructured.Unstructured)
			return object != nil && condition(object, "Established"), nil
		})
		if err != nil {
			return fmt.Errorf("waiting for the definition %s: %w", info.Name, err)
		}
	}
	return nil
}

func condition(o *unstructured.Unstructured, name string) bool {
	all, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, c := range all {
		if c, ok := c.(map[string]any); ok && c["type"] == name {
			return c["status"] == "True"
		}
	}
	return false
}

// labelOf returns a label of an object that may be nil.
func labelOf(o any, key string) string {
	object, ok := o.(*unstructured.Unstructured)
	if !ok || object == nil {
		return ""
	}
	return object.GetLabels()[key]
}
