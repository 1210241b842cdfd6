package addons

import (
	"cmp"

	"github.com/clusterlab-dev/lab/providers"
)

// Addon is something that can be put onto a cluster.
type Addon struct {
	Name      string    `json:"name"`
	Summary   string    `json:"summary,omitempty"` // one line: what it is
	Warning   string    `json:"warning,omitempty"` // one line that is said each time it is installed
	Chart     Chart     `json:"chart"`
	Namespace string    `json:"namespace,omitempty"` // "" means a namespace of its name
	Needs     []string  `json:"needs,omitempty"`     // addons that must work before it is installed
	Conflicts []string  `json:"conflicts,omitempty"` // addons that want the same as this one
	Asks      Asks      `json:"asks,omitzero"`
	Provides  []string  `json:"provides,omitempty"` // what it serves for other addons: ProvidesIngress
	Values    Values    `json:"values,omitempty"`
	Overlays  []Overlay `json:"overlays,omitempty"` // in order, each above the ones before
	Secrets   []Secret  `json:"secrets,omitempty"`
	Leftovers []Object  `json:"leftovers,omitempty"` // what its own programs create in its namespace, and which goes with it
	Ready     []Check   `json:"ready,omitempty"`     // beside the rollout of its workloads, which always counts
	Access    Access    `json:"access,omitzero"`
}

// ProvidesIngress is what an addon provides that serves Ingresses on port 80 of the cluster.
const ProvidesIngress = "ingress"

// Chart says where a chart comes from. Exactly one of OCI, Repository, Path and Builtin
// is set.
type Chart struct {
	OCI        string `json:"oci,omitempty"`        // oci://HOST/PATH, without the version
	Repository string `json:"repository,omitempty"` // the URL of an HTTP repository
	Name       string `json:"name,omitempty"`       // in Repository
	Version    string `json:"version,omitempty"`    // of OCI and Repository
	Path       string `json:"path,omitempty"`       // a directory or an archive
	Builtin    string `json:"builtin,omitempty"`    // one that lab brings along
}

// Asks is what an addon asks of the cluster when it is created, because it cannot be had
// afterwards.
type Asks struct {
	Ports               []int `json:"ports,omitempty"`               // of the cluster, published on the host
	ControlPlaneMetrics bool  `json:"controlPlaneMetrics,omitempty"` // it does without where it must
	NoIngress           bool  `json:"noIngress,omitempty"`           // it takes the place of a bundled one
	NoMetricsServer     bool  `json:"noMetricsServer,omitempty"`     // likewise
}

// Secret is one that lab makes before the addon is installed, once, and never changes: so
// no password stands in values, and each cluster has its own.
type Secret struct {
	Name      string            `json:"name"`
	Fixed     map[string]string `json:"fixed,omitempty"`
	Generated []string          `json:"generated,omitempty"` // keys with a random value each
}

// Access says how a person reaches the addon.
type Access struct {
	Host        string      `json:"host,omitempty"`    // a URL on the published port of the ingress
	Service     string      `json:"service,omitempty"` // else a port is forwarded to this Service
	Port        int         `json:"port,omitempty"`    // of Service
	Path        string      `json:"path,omitempty"`
	Credentials Credentials `json:"credentials,omitzero"`
}

// Credentials says in which Secret of the addon's namespace a name and a password are.
type Credentials struct {
	Secret      string `json:"secret,omitempty"`
	UserKey     string `json:"userKey,omitempty"`
	PasswordKey string `json:"passwordKey,omitempty"`
}

// Check is one thing that must hold before the addon counts as working. One field beside
// Part is set. Where pods do not run, none counts.
type Check struct {
	Part       string      `json:"part,omitempty"`       // an object of the chart; where values leave it out, this does not count
	Rollout    *Object     `json:"rollout,omitempty"`    // a workload that the addon itself makes
	DryRun     Values      `json:"dryRun,omitempty"`     // an object that admission accepts
	Ingress    int         `json:"ingress,omitempty"`    // a port of the cluster that answers HTTP on the host
	Prometheus *Endpoint   `json:"prometheus,omitempty"` // all targets up, no alert firing
	HTTP       *HTTPAnswer `json:"http,omitempty"`
	API        *APIAnswer  `json:"api,omitempty"`
}

// Endpoint is a port of a Service in the addon's namespace.
type Endpoint struct {
	Service string `json:"service"`
	Port    int    `json:"port"`
}

// HTTPAnswer is what a Service must answer.
type HTTPAnswer struct {
	Endpoint
	Path        string      `json:"path"`
	Contains    string      `json:"contains,omitempty"`
	Credentials Credentials `json:"credentials,omitzero"`
}

// APIAnswer is what the cluster's own API server must answer.
type APIAnswer struct {
	Path     string `json:"path"`
	Contains string `json:"contains,omitempty"`
}

// Object names an object of the cluster.
type Object struct {
	APIVersion string `json:"apiVersion,omitempty"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name"`
}

// String is the object as people and kubectl write it: "Deployment web/hello".
func (o Object) String() string {
	if o.Namespace == "" {
		return o.Kind + " " + o.Name
	}
	return o.Kind + " " + o.Namespace + "/" + o.Name
}

// In returns the namespace of the addon.
func (a Addon) In() string { return cmp.Or(a.Namespace, a.Name) }

// Wants adds to w what cannot be had of the cluster once it is made.
func (a Asks) Wants(w providers.Wants) providers.Wants {
	w.ControlPlaneMetrics = w.ControlPlaneMetrics || a.ControlPlaneMetrics
	w.NoIngress = w.NoIngress || a.NoIngress
	w.NoMetricsServer = w.NoMetricsServer || a.NoMetricsServer
	return w
}
