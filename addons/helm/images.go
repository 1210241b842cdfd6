package helm

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/release"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Images returns the images that a release pulls, by name: those of its objects and its hooks, those that its programs
// get as arguments or variables, and those that the definition of the addon names. It renders the chart without a cluster and sends no requests. It returns
// ErrInvalid if the chart cannot be rendered.
func Images(r addons.Release) ([]addons.Image, error) {
	loaded, err := loadSafe(r)
	if err != nil {
		return nil, err
	}
	install := action.NewInstall(&action.Configuration{Log: func(string, ...any) {}})
	install.ReleaseName, install.Namespace = r.Addon.Name, r.Addon.In()
	install.DryRun, install.ClientOnly = true, true
	// Helm would assume Kubernetes v1.20, which many charts refuse.
	install.KubeVersion = &chartutil.KubeVersion{Version: "v1.37.2", Major: "1", Minor: "37"}
	rendered, err := install.Run(loaded, r.Values.Copy())
	if err != nil {
		return nil, fault.Errorf(fault.ErrInvalid, "cannot render %s: %w", r.Addon.Name, err)
	}
	manifests := []string{rendered.Manifest}
	for _, hook := range rendered.Hooks {
		if !slices.Contains(hook.Events, release.HookTest) {
			manifests = append(manifests, hook.Manifest)
		}
	}
	f := imageFinder{addon: r.Addon, found: map[string][]string{}}
	for _, doc := range documents(strings.Join(manifests, "\n---\n")) {
		f.object = nameOf(doc, r.Addon.In())
		f.fields(doc, "")
	}
	for _, name := range r.Addon.Images {
		f.need(name, "the definition of the addon")
	}
	var list []addons.Image
	for _, name := range slices.Sorted(maps.Keys(f.found)) {
		list = append(list, addons.Image{Name: name, Addon: r.Addon.Name, NeededBy: f.found[name]})
	}
	return list, nil
}

// imageFinder finds the images in objects.
type imageFinder struct {
	addon  addons.Addon
	object addons.Object       // the current one
	found  map[string][]string // what needs an image, by its full name
}

// fields finds the images in the fields of an object or of a part of one. Custom resources have a field "image", too.
func (f imageFinder) fields(m map[string]any, key string) {
	name, _ := m["name"].(string)
	for _, k := range slices.Sorted(maps.Keys(m)) {
		switch text, isText := m[k].(string); {
		case k == "data" || k == "stringData" || k == "binaryData": // files, such as dashboards
		case isText && (k == "image" || k == "reference" && key == "image"):
			f.add(text, strings.TrimSpace(strings.TrimSuffix(key, "s")+" "+name))
		case isText && k == "value" && key == "env":
			f.addIfImage(text, "variable "+name)
		default:
			f.value(m[k], k)
		}
	}
}

func (f imageFinder) value(v any, key string) {
	switch v := v.(type) {
	case map[string]any:
		f.fields(v, key)
	case []any:
		for _, item := range v {
			text, isText := item.(string)
			if !isText {
				f.value(item, key)
				continue
			}
			flag, value, ok := strings.Cut(text, "=")
			if !ok {
				flag, value = key, text
			}
			f.addIfImage(value, strings.TrimLeft(flag, "-"))
		}
	}
}

// addIfImage adds a text that can only be the name of an image: with a registry and a tag or a digest.
func (f imageFinder) addIfImage(text, where string) {
	host, path, ok := strings.Cut(text, "/")
	if !ok || !strings.Contains(host, ".") || strings.Contains(path, "//") {
		return
	}
	named, err := reference.ParseNormalizedNamed(text)
	if err == nil && !reference.IsNameOnly(named) {
		f.add(text, where)
	}
}

func (f imageFinder) add(name, where string) {
	needs := strings.TrimSpace(fmt.Sprintf("%s of %s", where, f.object))
	f.need(name, strings.TrimPrefix(needs, "of "))
}

// need adds an image by its full name, with what needs it.
func (f imageFinder) need(name, needs string) {
	if named, err := reference.ParseDockerRef(name); err == nil {
		name = named.String()
	}
	if !slices.Contains(f.found[name], needs) {
		f.found[name] = append(f.found[name], needs)
	}
}
