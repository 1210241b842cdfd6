package helm

import (
	"context"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/release"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"

	"github.com/clusterlab-dev/lab/addons"
)

// List implements [addons.Installer].
func (Installer) List(ctx context.Context, c addons.Cluster) ([]addons.Installed, error) {
	s, err := connect(ctx, c, "", nil) // of all namespaces
	if err != nil {
		return nil, err
	}
	all, err := s.config.Releases.ListReleases()
	if err != nil {
		return nil, s.explain(ctx, err)
	}
	newest := map[string]*release.Release{}
	for _, rel := range all {
		known := newest[rel.Name]
		if rel.Labels[inputsLabel] != "" && (known == nil || known.Version < rel.Version) {
			newest[rel.Name] = rel
		}
	}
	var list []addons.Installed
	for _, rel := range newest {
		list = append(list, view(rel))
	}
	slices.SortFunc(list, func(a, b addons.Installed) int { return strings.Compare(a.Name, b.Name) })
	return list, ctx.Err()
}

func view(rel *release.Release) addons.Installed {
	in := addons.Installed{
		Name: rel.Name, Namespace: rel.Namespace, Revision: rel.Version,
		State: addons.StateInstalling, Objects: objects(rel.Manifest, rel.Namespace),
	}
	if rel.Chart != nil && rel.Chart.Metadata != nil {
		in.Version, in.App = rel.Chart.Metadata.Version, rel.Chart.Metadata.AppVersion
	}
	switch rel.Info.Status {
	case release.StatusDeployed:
		in.State = addons.StateReady
	case release.StatusFailed:
		in.State, in.Reason = addons.StateFailed, rel.Info.Description
	}
	return in
}

// objects returns the names of the objects in a manifest.
func objects(manifest, namespace string) []addons.Object {
	var list []addons.Object
	for _, doc := range documents(manifest) {
		list = append(list, nameOf(doc, namespace))
	}
	return list
}

// nameOf returns the name of an object of a manifest. Objects of common namespaced kinds without a
// namespace are in that of the release; for other kinds only the API server knows whether they have
// a namespace.
func nameOf(doc map[string]any, namespace string) addons.Object {
	text := func(m map[string]any, key string) string { s, _ := m[key].(string); return s }
	metadata, _ := doc["metadata"].(map[string]any)
	o := addons.Object{
		APIVersion: text(doc, "apiVersion"), Kind: text(doc, "kind"),
		Namespace: text(metadata, "namespace"), Name: text(metadata, "name"),
	}
	if o.Namespace == "" && slices.Contains(workloads(), o.Kind) {
		o.Namespace = namespace
	}
	return o
}

func workloads() []string {
	return []string{"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob", "Pod", "Service", "Ingress", "Secret", "ConfigMap", "ServiceAccount"}
}

// documents returns the objects of a manifest that Helm rendered, also those in lists.
func documents(manifest string) []map[string]any {
	var list []map[string]any
	for _, text := range split(manifest) {
		if doc, err := decode(text); err == nil && doc["kind"] != nil {
			list = append(list, flatten(doc)...)
		}
	}
	return list
}

// flatten returns the objects of a list, such as one of kind List, or doc itself. The items of a list of one kind can
// omit the kind, as for kubectl.
func flatten(doc map[string]any) []map[string]any {
	items, isList := doc["items"].([]any)
	kind, _ := doc["kind"].(string)
	of, named := strings.CutSuffix(kind, "List")
	if !isList || !named {
		return []map[string]any{doc}
	}
	var list []map[string]any
	for _, item := range items {
		object, ok := item.(map[string]any)
		if !ok {
			continue
		}
		if object["kind"] == nil && of != "" {
			object["apiVersion"], object["kind"] = doc["apiVersion"], of
		}
		if object["kind"] != nil {
			list = append(list, flatten(object)...)
		}
	}
	return list
}

// decode reads a YAML document as API servers do: integers of 64 bits keep all digits.
func decode(text string) (doc map[string]any, err error) {
	data, err := yaml.YAMLToJSON([]byte(text))
	if err == nil {
		err = utiljson.Unmarshal(data, &doc)
	}
	return doc, err
}

// split returns the YAML documents of a manifest.
func split(manifest string) []string { return strings.Split("\n"+manifest, "\n---") }
