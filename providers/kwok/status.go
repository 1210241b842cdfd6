package kwok

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/clusterlab-dev/lab/providers/atomicfile"
)

const statusFile = "status.json"

// The phases of an engine. The engine writes phaseStopped only when it shuts down in order.
const (
	phaseStarting = "starting"
	phaseReady    = "ready"
	phaseStopped  = "stopped"
)

// status is the content of status.json.
type status struct {
	Phase             string
	PID               int
	APIPort           int
	KubernetesVersion string
	EverReady         bool // the cluster was ready at least once
}

// readStatus returns the status of the engine in dir, or the zero status if it has written none yet.
func readStatus(dir string) (status, error) {
	var s status
	text, err := os.ReadFile(filepath.Join(dir, statusFile))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		return s, fmt.Errorf("cannot read %s: %w", statusFile, err)
	}
	return s, nil
}

// markStopped writes the phase that a dead engine did not write. It keeps the rest of the status.
func markStopped(dir string) error {
	all := map[string]any{}
	text, err := os.ReadFile(filepath.Join(dir, statusFile))
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot read %s: %w", statusFile, err)
	}
	if all["phase"] == phaseStopped {
		return nil
	}
	all["phase"] = phaseStopped
	if text, err = json.Marshal(all); err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(dir, statusFile), text, 0o600)
}
