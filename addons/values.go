package addons

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/clusterlab-dev/lab/providers"
)

// Values are what a chart is told. They are read-only: [Merge] makes new ones.
type Values map[string]any

// Overlay is values for some clusters only.
type Overlay struct {
	When   When   `json:"when"`
	Values Values `json:"values"`
}

// When says on which clusters an overlay counts: where all that is set holds.
type When struct {
	RunsPods     *bool                   `json:"runsPods,omitempty"`
	HostPorts    *providers.HostPorts    `json:"hostPorts,omitempty"`
	LoadBalancer *providers.LoadBalancer `json:"loadBalancer,omitempty"`
	Lacks        string                  `json:"lacks,omitempty"` // a control-plane target that cannot be scraped
}

// Holds tells whether the overlay counts on a cluster with these traits.
func (w When) Holds(t providers.Traits) bool {
	return (w.RunsPods == nil || *w.RunsPods == t.RunsPods) &&
		(w.HostPorts == nil || *w.HostPorts == t.HostPorts) &&
		(w.LoadBalancer == nil || *w.LoadBalancer == t.LoadBalancer) &&
		(w.Lacks == "" || !slices.Contains(t.ControlPlaneMetrics, w.Lacks))
}

// ValuesFor returns what the addon's chart is told on a cluster with these traits. own
// are the user's values, which count above all others.
func (a Addon) ValuesFor(t providers.Traits, own Values) Values {
	v := Merge(nil, a.Values)
	for _, o := range a.Overlays {
		if o.When.Holds(t) {
			v = Merge(v, o.Values)
		}
	}
	return Merge(v, own)
}

// Merge returns base with what is in over put above it. Maps are merged, all else is
// replaced, as Helm does it.
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

// ParseValues reads a file of values. It returns ErrInvalid where data is no map.
func ParseValues(data []byte) (Values, error) {
	var all any
	if err := yaml.Unmarshal(data, &all); err != nil {
		return nil, providers.Errorf(providers.ErrInvalid, "these are no values: %w", err)
	}
	v, ok := asMap(all)
	if !ok && all != nil {
		err := providers.Errorf(providers.ErrInvalid, "these are no values: they must be a map, such as replicas: 2")
		return nil, providers.WithHint(err, "begin each line with a key: KEY: VALUE, without a '-' before it")
	}
	return v, nil
}

// ParseSet reads ADDON.PATH=VALUE. Dots separate the keys of PATH, unless a backslash
// stands before them; VALUE is YAML. It returns ErrInvalid where s is not of that form.
func ParseSet(s string) (addon string, v Values, err error) {
	path, text, ok := strings.Cut(s, "=")
	keys := splitPath(path)
	if !ok || len(keys) < 2 || slices.Contains(keys, "") {
		err := providers.Errorf(providers.ErrInvalid, "%q is not ADDON.PATH=VALUE", s)
		return "", nil, providers.WithHint(err, "for example --set ingress-nginx.controller.replicaCount=2")
	}
	var value any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		err := providers.Errorf(providers.ErrInvalid, "the value of %s: %w", path, err)
		return "", nil, providers.WithHint(err, `a value is YAML; to have it taken as it is: --set '%s="…"'`, path)
	}
	for _, key := range slices.Backward(keys[1:]) {
		value = map[string]any{key: value}
	}
	v, ok = asMap(value)
	if !ok {
		return "", nil, fmt.Errorf("%q has no path", s)
	}
	return keys[0], v, nil
}

// splitPath splits at dots, unless a backslash stands before them.
func splitPath(path string) []string {
	var keys []string
	key := ""
	for part := range strings.SplitSeq(path, ".") {
		if before, escaped := strings.CutSuffix(part, `\`); escaped {
			key += before + "."
			continue
		}
		keys = append(keys, key+part)
		key = ""
	}
	return keys
}
