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

// APIVersion and Kind stand in every record that this lab writes.
const (
	APIVersion = "lab/v1alpha1"
	Kind       = "ClusterRecord"
)

// Phase says how far the work on a cluster had come when its record was written.
type Phase string

// A record is written before the first side effect, so that whatever a killed lab
// left can be found and removed.
const (
	PhaseCreating Phase = "creating"
	PhaseCreated  Phase = "created"
	PhaseDeleting Phase = "deleting"
)

// Record is what lab remembers of one cluster that it made.
type Record struct {
	Name           string           `json:"name"`
	Flavor         string           `json:"flavor"`
	Phase          Phase            `json:"phase"`
	ID             string           `json:"id,omitempty"`    // the provider's identity of this very cluster; "" until it exists
	Engine         providers.Engine `json:"engine,omitzero"` // the container engine that it is on; zero where its flavor has none
	CreatedAt      time.Time        `json:"createdAt"`
	ExpiresAt      *time.Time       `json:"expiresAt,omitempty"` // nil: never
	TTL            time.Duration    `json:"ttl,omitempty"`       // in nanoseconds: what ExpiresAt was counted from
	Run            bool             `json:"run,omitempty"`       // made by a `lab run`, and of no use without it
	Profile        string           `json:"profile,omitempty"`
	Context        string           `json:"context,omitempty"`            // in the user's kubeconfig; "" where lab made none
	Identity       string           `json:"identity,omitempty"`           // of the cluster in a kubeconfig, see package kubeconfig
	KubeconfigPath string           `json:"kubeconfigPath,omitempty"`     // the file that has the context
	OldPaths       []string         `json:"oldKubeconfigPaths,omitempty"` // files that had the context before, and may have it still
	Spec           providers.Spec   `json:"spec"`
	Traits         providers.Traits `json:"traits"`
	Addons         addons.Requests  `json:"addons,omitempty"` // asked of it, whether they work or not

	// NotReady is true from the creation until the cluster has been ready for the first time.
	NotReady bool `json:"notReady,omitempty"`

	// ReadyAt is when the cluster was seen to be ready as a whole last. A node that began to run
	// before is known to have reported since.
	ReadyAt *time.Time `json:"readyAt,omitempty"`

	// Parts is what the cluster was made of when it worked last.
	Parts []providers.Part `json:"parts,omitempty"`

	// AddonStates is what is known of the addons since they were looked at last, by name.
	AddonStates map[string]AddonState `json:"addonStates,omitempty"`
}

// AddonState is how an addon was when it was looked at last.
type AddonState struct {
	State  addons.State `json:"state"`
	Reason string       `json:"reason,omitempty"` // why it is not ready
}

// Expired tells whether the cluster's time to live is over at now. That of a cluster
// of `lab run` is over whenever nobody uses it, which only [Store.Used] can tell.
func (r Record) Expired(now time.Time) bool {
	return r.Run || r.ExpiresAt != nil && !now.Before(*r.ExpiresAt)
}

// errNewer marks a record that this lab must neither read nor replace.
var errNewer = errors.New("written by a newer lab")

// header is read first, because only it is the same in every version.
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

// decode reads the record of the cluster name. Its errors say what is wrong with
// data, and not where data came from.
func decode(name string, data []byte) (Record, error) {
	var h header
	if err := unmarshal(data, &h); err != nil {
		return Record{}, err
	}
	if h.APIVersion != APIVersion && strings.HasPrefix(h.APIVersion, "lab/") {
		return Record{}, fmt.Errorf("%w: it is of %s, and this lab knows %s", errNewer, h.APIVersion, APIVersion)
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

// check finds records that are valid JSON but would mislead the caller.
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

// unmarshal is [json.Unmarshal] with a word on files that a crash left empty.
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
