package providertest

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Engines are the container engines of a [Machine], kept in engines.json there. A machine
// without the file has none, and its clusters are on no engine.
type Engines struct {
	Current providers.Engine  `json:"current"`        // where clusters are created
	Down    []string          `json:"down,omitempty"` // the hosts of those that do not answer
	IDs     map[string]string `json:"ids,omitempty"`  // by host, the ID of an engine that took the place of another
}

// SetEngines replaces the engines.
func (m Machine) SetEngines(e Engines) error {
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(string(m), 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(string(m), "engines.json"), text, 0o600)
}

func (m Machine) engines() (Engines, error) {
	var e Engines
	text, err := os.ReadFile(filepath.Join(string(m), "engines.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return e, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &e)
	}
	return e, err
}

// Engine returns the current engine.
func (f *fake) Engine(_ context.Context, _ providers.Spec) (providers.Engine, error) {
	e, err := f.machine.engines()
	return e.Current, err
}

// CheckEngine returns ErrUnavailable for engines that Engines lists as down or replaced.
func (f *fake) CheckEngine(_ context.Context, engine providers.Engine) error {
	e, err := f.machine.engines()
	if err != nil {
		return err
	}
	id, replaced := e.IDs[engine.Host]
	if slices.Contains(e.Down, engine.Host) || replaced && id != engine.ID {
		return fault.WithHint(
			fault.Errorf(fault.ErrUnavailable, "the cluster is on the engine at %s, which does not answer", engine.Host), "start that engine")
	}
	return nil
}

// ListOn returns the clusters of an engine.
func (f *fake) ListOn(ctx context.Context, engine providers.Engine) ([]providers.Cluster, error) {
	if err := f.machine.begin(ctx, "list"); err != nil {
		return nil, err
	}
	e, err := f.machine.engines()
	if err != nil {
		return nil, err
	}
	if slices.Contains(e.Down, engine.Host) {
		return nil, f.CheckEngine(ctx, engine)
	}
	records, err := f.machine.list()
	var clusters []providers.Cluster
	for _, r := range records {
		if r.Host == engine.Host && e.IDs[engine.Host] == "" {
			clusters = append(clusters, f.cluster(r))
		}
	}
	return clusters, err
}
