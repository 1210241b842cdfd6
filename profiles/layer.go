package profiles

import (
	"maps"
	"reflect"
	"slices"

	"github.com/clusterlab-dev/lab/profiles/strict"
)

// Origins are the origins of values by their paths, such as "lab.yaml:6" or "--workers" for
// "cluster.workers". A path without an origin has no value.
type Origins map[string]string

// Layer is a profile with the origin of each value.
type Layer struct {
	Profile
	Origins Origins
}

// Under returns l with top merged over it: values of top replace those of l, lists as a whole. Addons
// are merged by name, and their values key by key.
func (l Layer) Under(top Layer) Layer {
	merged := Layer{l.Profile, maps.Clone(l.Origins)}
	addons := joinAddons(l.Addons, top.Addons)
	overlay(reflect.ValueOf(&merged.Profile).Elem(), reflect.ValueOf(top.Profile), "", top.Origins)
	merged.Addons = addons
	if merged.Origins == nil {
		merged.Origins = Origins{}
	}
	maps.Copy(merged.Origins, top.Origins)
	return merged
}

// overlay sets in v the values of top that have an origin, even if they are zero.
func overlay(v, top reflect.Value, path string, origins Origins) {
	for i := range v.NumField() {
		at := strict.Join(path, strict.KeyOf(v.Type().Field(i)))
		switch _, there := origins[at]; {
		case v.Field(i).Kind() == reflect.Struct:
			overlay(v.Field(i), top.Field(i), at, origins)
		case there:
			v.Field(i).Set(top.Field(i))
		}
	}
}

func joinAddons(below, top []Addon) []Addon {
	all := slices.Clone(below)
	for _, a := range top {
		i := slices.IndexFunc(all, func(b Addon) bool { return b.Name == a.Name })
		switch {
		case i < 0:
			all = append(all, a)
		case a.Chart != Chart{}:
			all[i] = a // another addon of that name
		default:
			all[i].Values = mergeValues(all[i].Values, a.Values)
		}
	}
	return all
}

// mergeValues merges as Helm does: it merges mappings, and replaces everything else.
func mergeValues(below, top map[string]any) map[string]any {
	if below == nil {
		return top
	}
	merged := maps.Clone(below)
	for key, value := range top {
		a, ok := merged[key].(map[string]any)
		b, both := value.(map[string]any)
		if ok && both {
			value = mergeValues(a, b)
		}
		merged[key] = value
	}
	return merged
}

// Setting is one value of a profile, and where it came from.
type Setting struct {
	Path  string `json:"path"`
	Value any    `json:"value"`
	From  string `json:"from"`
}

// Settings returns the values that are there, in the order of the format.
func (l Layer) Settings() []Setting {
	return l.settings(reflect.ValueOf(l.Profile), "")
}

func (l Layer) settings(v reflect.Value, path string) []Setting {
	var all []Setting
	for i := range v.NumField() {
		f := v.Field(i)
		at := strict.Join(path, strict.KeyOf(v.Type().Field(i)))
		from, there := l.Origins[at]
		switch {
		case f.Kind() == reflect.Struct:
			all = append(all, l.settings(f, at)...)
		case at == "addons":
			all = append(all, l.addonSettings()...)
		case there && v.Type().Field(i).Tag.Get("want") == "":
			all = append(all, Setting{at, f.Interface(), from})
		}
	}
	return all
}

func (l Layer) addonSettings() []Setting {
	var all []Setting
	for _, a := range l.Addons {
		all = append(all, Setting{"addons", string(a.Name), l.Origins["addons."+string(a.Name)]})
	}
	return all
}
