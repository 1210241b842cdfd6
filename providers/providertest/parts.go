package providertest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/clusterlab-dev/lab/providers"
)

// The kinds of parts of a fake's clusters.
const (
	kindNode    = "node"
	kindNetwork = "network"
)

// nodeNames returns the names of the nodes of a cluster: NAME-node, NAME-node2 and so on.
func nodeNames(spec providers.Spec) []string {
	var names []string
	for i := 1; i <= max(spec.ControlPlanes, 1)+spec.Workers; i++ {
		name := spec.Name + "-node"
		if i > 1 {
			name += fmt.Sprint(i)
		}
		names = append(names, name)
	}
	return names
}

// assemble records the parts of the cluster.
func (m Machine) assemble(spec providers.Spec) error {
	errs := []error{m.repair(spec)}
	for _, name := range nodeNames(spec) {
		errs = append(errs, m.addPart(spec.Name, kindNode, name))
	}
	return errors.Join(errs...)
}

// repair records the parts again that Start can recreate.
func (m Machine) repair(spec providers.Spec) error {
	return m.addPart(spec.Name, kindNetwork, spec.Name)
}

func (m Machine) addPart(cluster, kind, name string) error {
	dir := m.path(cluster, "parts", kind)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name), nil, 0o600)
}

// parts returns the current parts of the cluster.
func (m Machine) parts(cluster string) []providers.Part {
	parts := []providers.Part{}
	for _, kind := range []string{kindNode, kindNetwork} {
		entries, err := os.ReadDir(m.path(cluster, "parts", kind))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		for _, e := range entries {
			parts = append(parts, providers.Part{Kind: kind, Name: e.Name(), Repair: kind == kindNetwork})
		}
	}
	return parts
}
