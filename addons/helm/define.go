package helm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"helm.sh/helm/v3/pkg/chartutil"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/metadata"

	"github.com/clusterlab-dev/lab/addons"
)

// manager is who the API server is told sets fields.
const manager = "lab"

// Define implements [addons.Installer]. Definitions are applied by the server, which
// keeps no copy of them in an annotation: those have room for 262 kB, and there are
// definitions of three times that.
func (Installer) Define(ctx context.Context, c addons.Cluster, r addons.Release) error {
	list, err := definitions(r)
	if err != nil || len(list) == 0 {
		return err
	}
	s, err := connect(ctx, c, r.Addon.In(), nil)
	if err != nil {
		return err
	}
	last, err := s.last(r.Addon.Name)
	if err != nil {
		return err
	}
	there, err := s.defined(ctx)
	if err != nil {
		return explain(ctx, err)
	}
	current := last != nil && isCurrent(last, c, r)
	errs := make([]error, len(list))
	var wg sync.WaitGroup
	// All at once: for each one that comes by itself the server describes its API anew.
	for i, d := range list {
		was, known := there[d.GetName()]
		if current && known {
			continue
		}
		// One that was there before lab came must stay when the addon goes.
		if !known || was[addonLabel] != "" {
			d.SetLabels(withLabel(d.GetLabels(), r.Addon.Name))
		}
		wg.Go(func() { errs[i] = s.define(ctx, d) })
	}
	wg.Wait()
	return explain(ctx, errors.Join(errs...))
}

// defined returns the labels of the definitions that the cluster has, by name. Their
// bodies, megabytes in all, stay where they are.
func (s *session) defined(ctx context.Context) (map[string]map[string]string, error) {
	config, err := s.config.RESTClientGetter.ToRESTConfig()
	if err != nil {
		return nil, err
	}
	client, err := metadata.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	list, err := client.Resource(definitionResource()).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list the custom resource definitions: %w", err)
	}
	there := map[string]map[string]string{}
	for _, d := range list.Items {
		there[d.Name] = d.Labels
	}
	return there, nil
}

// definitions returns the custom resource definitions in the crds directories of a chart
// and of those that it depends on, as far as values do not switch them off.
func definitions(r addons.Release) ([]*unstructured.Unstructured, error) {
	loaded, err := load(r.Chart)
	if err != nil {
		return nil, err
	}
	if err := chartutil.ProcessDependenciesWithMerge(loaded, chartutil.Values(r.Values)); err != nil {
		return nil, err
	}
	var list []*unstructured.Unstructured
	for _, file := range loaded.CRDObjects() {
		for _, doc := range documents(string(file.File.Data)) {
			if doc["kind"] == "CustomResourceDefinition" { // and not a kustomization, for example
				list = append(list, &unstructured.Unstructured{Object: doc})
			}
		}
	}
	return list, nil
}

// define applies one definition, and waits until what it defines is served.
func (s *session) define(ctx context.Context, d *unstructured.Unstructured) error {
	client, err := s.dynamic()
	if err != nil {
		return err
	}
	_, err = client.Resource(definitionResource()).Apply(ctx, d.GetName(), d, metav1.ApplyOptions{FieldManager: manager, Force: true})
	if err != nil {
		return fmt.Errorf("the definition %s: %w", d.GetName(), err)
	}
	version := servedVersion(d)
	group, _, _ := unstructured.NestedString(d.Object, "spec", "group")
	plural, _, _ := unstructured.NestedString(d.Object, "spec", "names", "plural")
	err = s.client.poll(func() (bool, error) {
		served, err := s.typed.Discovery().ServerResourcesForGroupVersion(group + "/" + version)
		if apierrors.IsNotFound(err) {
			return false, nil
		}
		return err == nil && slices.ContainsFunc(served.APIResources, func(r metav1.APIResource) bool { return r.Name == plural }), err
	})
	if err != nil {
		return fmt.Errorf("waiting for the definition %s: %w", d.GetName(), err)
	}
	return nil
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

func withLabel(labels map[string]string, addon string) map[string]string {
	if labels == nil {
		labels = map[string]string{}
	}
	labels[addonLabel] = addon
	return labels
}
