package addons

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"sigs.k8s.io/yaml"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Values are the values of a chart. They are read-only: [Merge] returns new ones.
type Values map[string]any

// Sets are the texts of helm's flags for single values, in their order, each ADDON.PATH=VALUE.
type Sets struct {
	JSON     []string // --set-json
	Values   []string // --set
	Strings  []string // --set-string
	Files    []string // --set-file
	Literals []string // --set-literal
}

// Overlay is values for some clusters only.
type Overlay struct {
	When   When   `json:"when"`
	Values Values `json:"values"`
}

// When selects the clusters to which an overlay applies: those that match all fields that are set.
type When struct {
	RunsPods     *bool                   `json:"runsPods,omitempty"`
	HostPorts    *providers.HostPorts    `json:"hostPorts,omitempty"`
	LoadBalancer *providers.LoadBalancer `json:"loadBalancer,omitempty"`
	Lacks        string                  `json:"lacks,omitempty"` // a control-plane target that cannot be scraped
}

// Holds reports whether the overlay applies to a cluster with these traits.
func (w When) Holds(t providers.Traits) bool {
	return (w.RunsPods == nil || *w.RunsPods == t.RunsPods) &&
		(w.HostPorts == nil || *w.HostPorts == t.HostPorts) &&
		(w.LoadBalancer == nil || *w.LoadBalancer == t.LoadBalancer) &&
		(w.Lacks == "" || !slices.Contains(t.ControlPlaneMetrics, w.Lacks))
}

// ValuesFor returns the values of the addon's chart on a cluster with these traits. own are the
// user's values, which override all others.
func (a Addon) ValuesFor(t providers.Traits, own Values) Values {
	v := Merge(nil, a.Values)
	for _, o := range a.Overlays {
		if o.When.Holds(t) {
			v = Merge(v, o.Values)
		}
	}
	return Merge(v, own)
}

// Merge merges over over base, as Helm does: it merges mappings, and replaces everything else.
func Merge(base, over Values) Values {
	merged := maps.Clone(base)
	if merged == nil {
		merged = Values{}
	}
	for key, value := range over {
		if value, ok := asMap(value); ok {
			old, _ := asMap(merged[key])
			merged[key] = map[string]any(Merge(old, value))
			continue
		}
		merged[key] = value
	}
	return merged
}

func asMap(v any) (Values, bool) {
	switch v := v.(type) {
	case map[string]any:
		return v, true
	case Values:
		return v, true
	}
	return nil, false
}

// ParseValues reads a file of values. It returns ErrInvalid if data is not a mapping.
func ParseValues(data []byte) (Values, error) {
	var all any
	if err := yaml.Unmarshal(data, &all); err != nil {
		return nil, fault.Errorf(fault.ErrInvalid, "cannot read the values: %w", err)
	}
	v, ok := asMap(all)
	if !ok && all != nil {
		err := fault.Errorf(fault.ErrInvalid, "cannot read the values: they must be a mapping, such as replicas: 2")
		return nil, fault.WithHint(err, "start each line with a key: KEY: VALUE, without a '-' before it")
	}
	return v, nil
}

// Equal reports whether a chart renders the same from v and other.
func (v Values) Equal(other Values) bool { return bytes.Equal(v.Canonical(), other.Canonical()) }

// Canonical returns v as JSON: the same text for equal values in any order, and different texts for
// values that a chart can distinguish. Charts print the integer 29111998, which --set produces,
// differently from the floating-point number that a file produces, so the latter is 29111998.0.
func (v Values) Canonical() []byte {
	text, err := json.Marshal(typed(map[string]any(v)))
	if err != nil { // a type that neither YAML nor JSON has
		return fmt.Append(nil, map[string]any(v))
	}
	return text
}

// Copy returns a copy of v that shares nothing with it.
func (v Values) Copy() Values {
	c, _ := untyped(typed(v)).(map[string]any)
	return c
}

// typed returns a copy of v with each number as the text that [untyped] reads.
func typed(v any) any {
	switch v := v.(type) {
	case Values:
		return typed(map[string]any(v))
	case map[string]any:
		m := make(map[string]any, len(v))
		for key, value := range v {
			m[key] = typed(value)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = typed(v[i])
		}
		return list
	case float64:
		text, err := json.Marshal(v)
		if err != nil || bytes.ContainsAny(text, ".e") {
			return v
		}
		return json.Number(string(text) + ".0")
	}
	return v
}

// untyped undoes typed.
func untyped(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key := range v {
			v[key] = untyped(v[key])
		}
	case []any:
		for i := range v {
			v[i] = untyped(v[i])
		}
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		f, _ := v.Float64() // infinite if the number is too large
		return f
	}
	return v
}
