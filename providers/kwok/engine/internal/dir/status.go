package dir

import (
	"encoding/json"
	"errors"
	"io/fs"
	"time"
)

// Phase is the phase of an engine.
type Phase string

// The phases. Only an orderly shutdown writes Stopped.
const (
	Starting Phase = "starting"
	Ready    Phase = "ready"
	Stopped  Phase = "stopped"
)

// Status is the content of status.json.
type Status struct {
	Phase             Phase     `json:"phase"`
	PID               int       `json:"pid"`
	APIPort           int       `json:"apiPort"`
	KubernetesVersion string    `json:"kubernetesVersion"`
	EverReady         bool      `json:"everReady"` // the cluster was ready at least once, in this or an earlier process
	StartedAt         time.Time `json:"startedAt"`
}

// ReadStatus returns the status that the last engine wrote, or the zero Status if there is none. It
// returns an error if the status cannot be read; then no field is reliable.
func ReadStatus() (Status, error) {
	var s Status
	err := readJSON(StatusFile, &s)
	if errors.Is(err, fs.ErrNotExist) {
		return Status{}, nil
	}
	return s, err
}

// WriteStatus replaces the status.
func WriteStatus(s Status) error {
	raw, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return WriteFile(StatusFile, append(raw, '\n'))
}
