package helm

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/release"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// The objects in the crds directories of a chart do not belong to its release. Those that are not custom resource
// definitions have no owner: as in Helm, an installation creates them unless they exist, and nothing changes or deletes
// them. A removal reports them. It does not delete them as it deletes definitions, because nothing shows whether another
// chart that contains them, or an object in the cluster, needs them.

const definitionKind = "CustomResourceDefinition"

// definitionsOf returns the custom resource definitions in the crds directories of a chart and of its dependencies,
// without those of dependencies that values disable.
func definitionsOf(r addons.Release) ([]*unstructured.Unstructured, error) {
	loaded, err := loadEnabled(r)
	if err != nil {
		return nil, err
	}
	all, err := crdObjects(loaded, func(string) bool { return false })
	return slices.DeleteFunc(all, func(o *unstructured.Unstructured) bool { return o.GetKind() != definitionKind }), err
}

// unownedOf returns the other objects in the same directories.
func unownedOf(r addons.Release) ([]*unstructured.Unstructured, error) {
	loaded, err := loadEnabled(r)
	if err != nil {
		return nil, err
	}
	return unownedIn(loaded)
}

func unownedIn(c *chart.Chart) ([]*unstructured.Unstructured, error) {
	all, err := crdObjects(c, func(text string) bool {
		return strings.Contains(text, "\nkind: "+definitionKind+"\n") // decoding definitions, of several megabytes, takes long
	})
	return slices.DeleteFunc(all, func(o *unstructured.Unstructured) bool { return o.GetKind() == definitionKind }), err
}

// loadEnabled reads the chart of a release, without the dependencies that values disable.
func loadEnabled(r addons.Release) (*chart.Chart, error) {
	loaded, err := loadSafe(r)
	if err != nil {
		return nil, err
	}
	if err := chartutil.ProcessDependenciesWithMerge(loaded, chartutil.Values(r.Values.Copy())); err != nil {
		return nil, fault.Errorf(fault.ErrInvalid, "invalid chart: %w", err)
	}
	return loaded, nil
}

// crdObjects returns the objects in the crds directories of a chart, without the documents for which skip returns true.
// It returns ErrInvalid for a document that is not an object with a name.
func crdObjects(c *chart.Chart, skip func(text string) bool) ([]*unstructured.Unstructured, error) {
	var list []*unstructured.Unstructured
	for _, file := range c.CRDObjects() {
		for _, text := range split(string(file.File.Data)) {
			if skip(text) {
				continue
			}
			doc, err := decode(strings.TrimPrefix(text, "\n"))
			if err != nil { // documents would omit it
				return nil, fault.Errorf(fault.ErrInvalid, "%s: %w", file.Filename, err)
			}
			if len(doc) == 0 { // comments
				continue
			}
			for _, object := range flatten(doc) {
				o := &unstructured.Unstructured{Object: object}
				if o.GetKind() == "" || o.GetAPIVersion() == "" || o.GetName() == "" {
					err := fault.Errorf(fault.ErrInvalid, "%s contains a document that is not an object with apiVersion, kind and metadata.name", file.Filename)
					return nil, fault.WithHint(err, "correct the document, or add the file to .helmignore of the chart")
				}
				list = append(list, o)
			}
		}
	}
	return list, nil
}

// createUnowned creates the objects in the crds directories of a chart that are not definitions, unless they exist. It
// labels them, so that a removal names the command that deletes them.
func (rs releases) createUnowned(ctx context.Context, r addons.Release) error {
	all, err := unownedOf(r)
	if err != nil {
		return err
	}
	for _, o := range all {
		name := fmt.Sprintf("%s %s of the directory crds", o.GetKind(), o.GetName())
		if o.GetKind() != "Namespace" { // the label would make it a namespace of the addon, which a removal deletes
			labels := o.GetLabels() // a copy
			if labels == nil {
				labels = map[string]string{}
			}
			labels[addonLabel] = r.Addon.Name
			o.SetLabels(labels)
		}
		text, err := o.MarshalJSON()
		if err != nil {
			return fmt.Errorf("cannot create %s: %w", name, err)
		}
		infos, err := rs.client.Build(bytes.NewReader(text), false)
		if err == nil {
			_, err = rs.client.Client.Create(infos)
		}
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("cannot create %s: %w", name, err)
		}
	}
	return ctx.Err()
}

// keepUnowned adds those of the objects that createUnowned created, and that exist, to those that are kept. The record of
// a release lacks the dependencies of the chart, and so their objects.
func (rs releases) keepUnowned(last *release.Release) error {
	if last.Chart == nil {
		return nil
	}
	all, err := unownedIn(last.Chart)
	if err != nil {
		return nil // no installation accepts such a chart
	}
	for _, o := range all {
		text, err := o.MarshalJSON()
		if err != nil {
			return err
		}
		infos, err := rs.build(string(text))
		if err != nil {
			return err
		}
		for _, info := range infos {
			live, err := rs.client.live(info)
			if err != nil {
				return err
			}
			if live != nil && live.GetLabels()[addonLabel] == rs.client.release.Name {
				rs.client.keep(info, "the chart has it in the directory crds, and other objects may need it", true)
			}
		}
	}
	return nil
}
