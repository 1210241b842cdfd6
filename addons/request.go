package addons

import (
	"bytes"
	"encoding/json"
)

// Request is an addon that a user requested: its definition at that time, and the user's values,
// which override its own.
type Request struct {
	Addon Addon `json:"addon"`
	Own   bool  `json:"own,omitempty"` // whether a lab.yaml defines it instead of the catalog

	// Unfinished is true until Addon, as it is here, was installed and worked for the first time.
	Unfinished bool `json:"unfinished,omitempty"`

	// Removing is true from the start of a removal until it is complete.
	Removing bool `json:"removing,omitempty"`

	Values Values `json:"values,omitempty"`
}

// MarshalJSON preserves the difference between integers and floating-point numbers of the values: see
// [Values.Canonical].
func (q Request) MarshalJSON() ([]byte, error) {
	type plain Request
	q.Values, _ = asMap(typed(q.Values))
	return json.Marshal(plain(q))
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (q *Request) UnmarshalJSON(data []byte) error {
	type plain Request
	var text struct {
		Values json.RawMessage `json:"values"`
	}
	if err := json.Unmarshal(data, (*plain)(q)); err != nil {
		return err
	}
	if err := json.Unmarshal(data, &text); err != nil || text.Values == nil {
		return err
	}
	values := json.NewDecoder(bytes.NewReader(text.Values))
	values.UseNumber()
	q.Values = nil
	if err := values.Decode(&q.Values); err != nil {
		return err
	}
	untyped(map[string]any(q.Values))
	return nil
}

// Requests are the requested addons of one cluster, in the order of the requests.
type Requests []Request

// Names returns the names of the addons.
func (r Requests) Names() []string {
	names := make([]string, len(r))
	for i := range r {
		names[i] = r[i].Addon.Name
	}
	return names
}

// Get returns the request for an addon, and whether there is one.
func (r Requests) Get(name string) (Request, bool) {
	for _, q := range r {
		if q.Addon.Name == name {
			return q, true
		}
	}
	return Request{}, false
}

// With returns r with q, which replaces the request for the same addon or is added at the end.
func (r Requests) With(q Request) Requests {
	var all Requests
	found := false
	for _, old := range r {
		if old.Addon.Name == q.Addon.Name {
			old, found = q, true
		}
		all = append(all, old)
	}
	if !found {
		all = append(all, q)
	}
	return all
}

// Without returns r without the request for an addon.
func (r Requests) Without(name string) Requests {
	var all Requests
	for _, q := range r {
		if q.Addon.Name != name {
			all = append(all, q)
		}
	}
	return all
}

// AsksOf returns the requirements of several addons for the creation of a cluster.
func AsksOf(list []Addon) Asks {
	var all Asks
	seen := map[int]bool{}
	for _, a := range list {
		for _, port := range a.Asks.Ports {
			if !seen[port] {
				all.Ports = append(all.Ports, port)
			}
			seen[port] = true
		}
		all.ControlPlaneMetrics = all.ControlPlaneMetrics || a.Asks.ControlPlaneMetrics
		all.NoIngress = all.NoIngress || a.Asks.NoIngress
		all.NoMetricsServer = all.NoMetricsServer || a.Asks.NoMetricsServer
	}
	return all
}
