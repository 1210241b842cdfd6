package dir

import (
	"encoding/json"
	"errors"
	"io/fs"
	"time"
)

// Phase is how far an engine is.
type Phase string

// The phases. Stopped is written only by an orderly shutdown.
const (
	Starting Phase = "starting"
	Ready    Phase = "ready"
	Stopped  Phase = "stopped"
)

// Status is what an engine tells of itself.
type Status struct {
	Phase             Phase     `json:"phase"`
	PID               int       `json:"pid"`
	APIPort           int       `json:"apiPort"`
	KubernetesVersion string    `json:"kubernetesVersion"`
	EverReady         bool      `json:"everReady"` // whether it was ready once, now or in an earlier life
	StartedAt         time.Time `json:"startedAt"`
}

// ReadStatus returns what the last engine said; the zero Status where there was
// none, and where what it wrote cannot be read: then nothing in it can be relied on.
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
