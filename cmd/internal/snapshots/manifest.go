package snapshots

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
)

// APIVersion and Kind are in every manifest.
const (
	APIVersion = "lab/v1alpha1"
	Kind       = "SnapshotManifest"
)

// Manifest describes a snapshot: what it contains, and what the record of a restored cluster gets.
type Manifest struct {
	Name      string             `json:"name"`
	CreatedAt time.Time          `json:"createdAt"`
	Cluster   string             `json:"cluster"` // the name of the cluster that was saved
	Flavor    string             `json:"flavor"`
	Snapshot  providers.Snapshot `json:"snapshot"`

	// Of the record of the cluster. Spec has neither a name nor a mark.
	Spec        providers.Spec              `json:"spec"`
	Profile     string                      `json:"profile,omitempty"`
	Addons      addons.Requests             `json:"addons,omitempty"`
	AddonStates map[string]state.AddonState `json:"addonStates,omitempty"`

	// Passwords names Secrets with passwords that lab generated, each as "ADDON: Secret NAMESPACE/NAME".
	Passwords []string `json:"passwords,omitempty"`

	Files []File `json:"files"` // of the flavor, sorted by path
}

// File is a file of a snapshot.
type File struct {
	Path   string `json:"path"` // relative to the directory of the flavor's files, with slashes
	Size   int64  `json:"size"` // in bytes
	SHA256 string `json:"sha256"`
}

// Size returns the size of all files in bytes.
func (m Manifest) Size() int64 {
	var sum int64
	for _, f := range m.Files {
		sum += f.Size
	}
	return sum
}

type header struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
}

type envelope struct {
	header
	Manifest
}

func encode(m Manifest) ([]byte, error) {
	data, err := json.MarshalIndent(envelope{header{APIVersion, Kind}, m}, "", "  ")
	return append(data, '\n'), err
}

// decode reads a manifest. Its errors do not name the file.
func decode(data []byte) (Manifest, error) {
	var h header
	if len(bytes.TrimSpace(data)) == 0 {
		return Manifest{}, errors.New("it is empty")
	}
	if err := json.Unmarshal(data, &h); err != nil {
		return Manifest{}, err
	}
	switch {
	case h.Kind != Kind || !strings.HasPrefix(h.APIVersion, "lab/"):
		return Manifest{}, fmt.Errorf("it is a %q of %q, not a %q of %q", h.Kind, h.APIVersion, Kind, APIVersion)
	case h.APIVersion != APIVersion:
		return Manifest{}, fmt.Errorf("its format is %s, and this lab supports %s only", h.APIVersion, APIVersion)
	}
	var e envelope
	if err := json.Unmarshal(data, &e); err != nil {
		return Manifest{}, err
	}
	return e.Manifest, e.check()
}

// check returns an error for a manifest that is valid JSON with wrong values.
func (m Manifest) check() error {
	if err := providers.ValidateSnapshotName(m.Name); err != nil {
		return err
	}
	if err := providers.ValidateName(m.Cluster); err != nil {
		return err
	}
	if m.Flavor == "" {
		return errors.New("it names no flavor")
	}
	for _, f := range m.Files {
		if !isLocal(f.Path) {
			return fmt.Errorf("it names the file %q, which is not in the snapshot", f.Path)
		}
	}
	return nil
}
