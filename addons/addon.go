package addons

import (
	"cmp"

	"github.com/clusterlab-dev/lab/providers"
)

// Addon is software that lab can install in a cluster.
type Addon struct {
	Name      string    `json:"name" need:"true"`
	Summary   string    `json:"summary,omitempty"` // one line
	Warning   string    `json:"warning,omitempty"` // one line, printed at each installation
	Chart     Chart     `json:"chart"`
	Namespace string    `json:"namespace,omitempty"` // "" means the addon's name
	Needs     []string  `json:"needs,omitempty"`     // addons that must work before it is installed
	Conflicts []string  `json:"conflicts,omitempty"` // addons that cannot be in the same cluster
	Asks      Asks      `json:"asks,omitzero"`
	Provides  []string  `json:"provides,omitempty"` // what it provides for other addons: ProvidesIngress
	Values    Values    `json:"values,omitempty"`
	Overlays  []Overlay `json:"overlays,omitempty"` // in order; each overrides those before
	Secrets   []Secret  `json:"secrets,omitempty"`
	Leftovers []Object  `json:"leftovers,omitempty"` // objects that its programs create in its namespace, deleted with it
	Images    []string  `json:"images,omitempty"`    // images that its programs choose themselves, which no object of the chart names
	Ready     []Check   `json:"ready,omitempty"`     // in addition to the rollout of its workloads, which is always checked
	Access    Access    `json:"access,omitzero"`
}

// ProvidesIngress marks addons that serve Ingresses on port 80 of the cluster.
const ProvidesIngress = "ingress"

// Chart says where a chart comes from. Exactly one of OCI, Repository, Path and Builtin
// is set.
type Chart struct {
	OCI        string `json:"oci,omitempty"`        // oci://HOST/PATH, without the version
	Repository string `json:"repository,omitempty"` // the URL of an HTTP repository
	Name       string `json:"name,omitempty"`       // in Repository
	Version    string `json:"version,omitempty"`    // of OCI and Repository
	Path       string `json:"path,omitempty"`       // a directory or an archive
	Builtin    string `json:"builtin,omitempty"`    // the name of a chart that is part of lab
}

// Asks are an addon's requirements for the creation of the cluster, because the cluster cannot be
// changed later.
type Asks struct {
	Ports               []int `json:"ports,omitempty"`               // of the cluster, published on the host
	ControlPlaneMetrics bool  `json:"controlPlaneMetrics,omitempty"` // optional
	NoIngress           bool  `json:"noIngress,omitempty"`           // it replaces the bundled controller
	NoMetricsServer     bool  `json:"noMetricsServer,omitempty"`     // likewise
}

// Secret is a Secret that lab creates before it installs the addon, and never changes. So values
// contain no password, and each cluster has a different one.
type Secret struct {
	Name      string            `json:"name"`
	Fixed     map[string]string `json:"fixed,omitempty"`
	Generated []string          `json:"generated,omitempty"` // keys with random values
}

// Access says how a user opens the addon.
type Access struct {
	Host        string      `json:"host,omitempty"`    // a URL on the published port of the ingress
	Service     string      `json:"service,omitempty"` // otherwise lab forwards a local port to this Service
	Port        int         `json:"port,omitempty"`    // of Service
	Path        string      `json:"path,omitempty"`
	Credentials Credentials `json:"credentials,omitzero"`
}

// Credentials names the Secret in the addon's namespace that has the user name and the password.
type Credentials struct {
	Secret      string `json:"secret,omitempty"`
	UserKey     string `json:"userKey,omitempty"`
	PasswordKey string `json:"passwordKey,omitempty"`
}

// Check is a condition for an addon that works. Exactly one field is set, in addition to Part. On
// clusters that run no pods, checks are skipped.
type Check struct {
	Part       string      `json:"part,omitempty"`       // an object of the chart; if values disable it, the check is skipped
	Rollout    *Object     `json:"rollout,omitempty"`    // a workload that the addon creates itself
	DryRun     Values      `json:"dryRun,omitempty"`     // an object that admission must accept
	Ingress    int         `json:"ingress,omitempty"`    // a port of the cluster that must answer HTTP on the host
	Prometheus *Endpoint   `json:"prometheus,omitempty"` // all targets up, no alert firing
	HTTP       *HTTPAnswer `json:"http,omitempty"`
	API        *APIAnswer  `json:"api,omitempty"`
}

// Endpoint is a port of a Service in the addon's namespace.
type Endpoint struct {
	Service string `json:"service"`
	Port    int    `json:"port"`
}

// HTTPAnswer is the required answer of a Service.
type HTTPAnswer struct {
	Endpoint
	Path        string      `json:"path"`
	Contains    string      `json:"contains,omitempty"`
	Credentials Credentials `json:"credentials,omitzero"`
}

// APIAnswer is the required answer of the cluster's API server.
type APIAnswer struct {
	Path     string `json:"path"`
	Contains string `json:"contains,omitempty"`
}

// Image is an image that an addon pulls.
type Image struct {
	Name     string   `json:"name"` // complete, with its registry: docker.io/library/web:v1
	Addon    string   `json:"addon"`
	NeededBy []string `json:"neededBy"` // "container web of Deployment shop/web"
}

// Object names an object of the cluster.
type Object struct {
	APIVersion string `json:"apiVersion,omitempty"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name"`
}

// String returns the object as KIND NAMESPACE/NAME, such as "Deployment web/hello".
func (o Object) String() string {
	if o.Namespace == "" {
		return o.Kind + " " + o.Name
	}
	return o.Kind + " " + o.Namespace + "/" + o.Name
}

// In returns the namespace of the addon.
func (a Addon) In() string { return cmp.Or(a.Namespace, a.Name) }

// Wants returns w with the requirements of a that concern the configuration of the cluster.
func (a Asks) Wants(w providers.Wants) providers.Wants {
	w.ControlPlaneMetrics = w.ControlPlaneMetrics || a.ControlPlaneMetrics
	w.NoIngress = w.NoIngress || a.NoIngress
	w.NoMetricsServer = w.NoMetricsServer || a.NoMetricsServer
	return w
}
