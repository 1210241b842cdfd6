package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers"
)

// APIVersion and Kind are in every record.
const (
	APIVersion = "lab/v1alpha1"
	Kind       = "ClusterRecord"
)

// Phase is the progress of the work on a cluster when its record was written.
type Phase string

// A record is written before the first side effect, so that the leftovers of a killed process can be
// found and removed.
const (
	PhaseCreating Phase = "creating"
	PhaseCreated  Phase = "created"
	PhaseDeleting Phase = "deleting"
)

// Record describes one cluster that lab created.
type Record struct {
	Name           string           `json:"name"`
	Flavor         string           `json:"flavor"`
	Phase          Phase            `json:"phase"`
	ID             string           `json:"id,omitempty"`    // the identity that the provider gives this cluster; "" until it exists
	Engine         providers.Engine `json:"engine,omitzero"` // the container engine; zero if the flavor has none
	CreatedAt      time.Time        `json:"createdAt"`
	ExpiresAt      *time.Time       `json:"expiresAt,omitempty"` // nil: never
	TTL            time.Duration    `json:"ttl,omitempty"`       // in nanoseconds: ExpiresAt was computed from it
	Run            bool             `json:"run,omitempty"`       // created by `lab run`, and useless after it
	Profile        string           `json:"profile,omitempty"`
	From           string           `json:"from,omitempty"`               // the snapshot that it was created from
	Context        string           `json:"context,omitempty"`            // in the user's kubeconfig; "" if lab added none
	Identity       string           `json:"identity,omitempty"`           // of the kubeconfig entries, see package kubeconfig
	KubeconfigPath string           `json:"kubeconfigPath,omitempty"`     // the file that has the context
	OldPaths       []string         `json:"oldKubeconfigPaths,omitempty"` // files that had the context before and may still have it
	Spec           providers.Spec   `json:"spec"`
	Traits         providers.Traits `json:"traits"`
	Addons         addons.Requests  `json:"addons,omitempty"` // requested, whether they work or not

	// NotReady is true until the cluster has been ready for the first time.
	NotReady bool `json:"notReady,omitempty"`

	// ReadyAt is the last time when the whole cluster was ready. A node that started before has
	// reported since.
	ReadyAt *time.Time `json:"readyAt,omitempty"`

	// Parts are the parts of the cluster when it was last ready.
	Parts []providers.Part `json:"parts,omitempty"`

	// AddonStates are the last observed states of the addons, by name.
	AddonStates map[string]AddonState `json:"addonStates,omitempty"`
}

// AddonState is the last observed state of an addon.
type AddonState struct {
	State  addons.State `json:"state"`
	Reason string       `json:"reason,omitempty"` // why it is not ready
}

// Expired reports whether the time to live of the cluster is over at now. A cluster of `lab run` is
// expired whenever no process uses it: the caller checks [Store.Used], too.
func (r Record) Expired(now time.Time) bool {
	return r.Run || r.ExpiresAt != nil && !now.Before(*r.ExpiresAt)
}

// errNewer is the error of a record that this version of lab must neither read nor replace.
var errNewer = errors.New("written by a newer lab")

// header is decoded first, because it is the same in every version.
type header struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
}

type envelope struct {
	header
	Record
}

func encode(r Record) ([]byte, error) {
	data, err := json.MarshalIndent(envelope{header{APIVersion, Kind}, r}, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(data, '\n'), nil
}

// decode reads the record of the cluster name. Its errors do not name the file.
func decode(name string, data []byte) (Record, error) {
	var h header
	if err := unmarshal(data, &h); err != nil {
		return Record{}, err
	}
	if h.APIVersion != APIVersion && strings.HasPrefix(h.APIVersion, "lab/") {
		return Record{}, fmt.Errorf("%w: its version is %s, and this lab supports %s", errNewer, h.APIVersion, APIVersion)
	}
	if h.APIVersion != APIVersion || h.Kind != Kind {
		return Record{}, fmt.Errorf("it is a %q of %q, not a %q of %q", h.Kind, h.APIVersion, Kind, APIVersion)
	}
	var e envelope
	if err := unmarshal(data, &e); err != nil {
		return Record{}, err
	}
	return e.Record, e.check(name)
}

// check returns an error for a record that is valid JSON with wrong values.
func (r Record) check(name string) error {
	switch r.Phase {
	case PhaseCreating, PhaseCreated, PhaseDeleting:
	default:
		return fmt.Errorf("its phase is %q", r.Phase)
	}
	switch {
	case r.Name != name:
		return fmt.Errorf("it is the record of %q", r.Name)
	case r.Flavor == "":
		return errors.New("it names no flavor")
	}
	return nil
}

// unmarshal is [json.Unmarshal] with clearer errors for files that a crash truncated.
func unmarshal(data []byte, v any) error {
	if len(bytes.TrimSpace(data)) == 0 {
		return errors.New("it is empty")
	}
	err := json.Unmarshal(data, v)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it ends too early")
	}
	return err
}
