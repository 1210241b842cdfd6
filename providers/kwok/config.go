package kwok

import (
	"os"
	"regexp"
	"strings"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// engineConfig is the content of engine.json, the configuration of an engine.
type engineConfig struct {
	APIVersion   string `json:"apiVersion"`
	Kind         string `json:"kind"`
	Name         string `json:"name"`
	ControlPlane string `json:"controlPlane"` // the node's name
	Workers      int    `json:"workers"`
	NodePrefix   string `json:"nodePrefix,omitempty"` // of the workers' names; "" means Name
	Mark         string `json:"mark,omitempty"`       // not used by the engine
	Native       string `json:"native,omitempty"`
}

// configFor translates spec. It returns ErrInvalid or ErrUnsupported if that is not possible. It
// ignores spec.Wants: [Provider.Traits] tells addons what the cluster does not have.
func configFor(spec providers.Spec) (engineConfig, error) {
	if err := spec.WithDefaults().Validate(); err != nil {
		return engineConfig{}, err
	}
	if err := unsupported(spec); err != nil {
		return engineConfig{}, err
	}
	return engineConfig{
		APIVersion:   "lab/v1alpha1",
		Kind:         "EngineConfig",
		Name:         spec.Name,
		ControlPlane: spec.Name + "-control-plane",
		Workers:      spec.Workers,
		Mark:         spec.Mark,
		Native:       string(spec.Native),
	}, nil
}

// Localize adds the files that KWOK's configuration names, relative to dir, to the configuration as
// documents, because the engine reads no file outside its directory. It keeps the path of a file that
// it cannot read; the engine rejects that path.
func (*Provider) Localize(text []byte, dir string) []byte {
	absolute := nodes.Absolute(dir)
	var documents, files []string
	take := func(path string) string {
		content, err := os.ReadFile(absolute(path))
		if err != nil {
			return absolute(path)
		}
		files = append(files, string(content))
		return ""
	}
	for _, document := range regexp.MustCompile(`(?m)^---\s*$`).Split(string(text), -1) {
		documents = append(documents, string(nodes.ChangeFields([]byte(document),
			nodes.Field{Keys: []string{"options", "kubeAuditPolicy"}, Change: take},
			nodes.Field{Keys: []string{"options", "kubeSchedulerConfig"}, Change: take})))
	}
	if len(files) == 0 {
		return text
	}
	return []byte(strings.Join(append(documents, files...), "\n---\n"))
}

// unsupported returns ErrUnsupported, with a hint, for the first setting of spec that kwok does not
// have.
func unsupported(spec providers.Spec) error {
	for _, limit := range []struct {
		asked         bool
		says, instead string
	}{
		{spec.ControlPlanes > 1, "a kwok cluster has one control plane",
			"leave out --control-planes, or use --flavor kind"},
		{len(spec.Ports) > 0, "kwok cannot publish ports, because its pods are simulated",
			"leave out --port, or use --flavor kind"},
		{len(spec.Mounts) > 0, "kwok cannot mount directories, because its nodes are simulated",
			"leave out --mount, or use --flavor kind"},
		{spec.NodeImage != "", "kwok has no node image, because its nodes are simulated",
			"leave out --image, or use --flavor kind"},
		{spec.Driver != "", "kwok has no drivers",
			"leave out the driver, or use --flavor minikube"},
		{spec.CAFile != "", "kwok needs no CA file, because it pulls no images",
			"leave out the CA file, or use --flavor kind"},
	} {
		if limit.asked {
			return fault.WithHint(fault.Errorf(fault.ErrUnsupported, "%s", limit.says), "%s", limit.instead)
		}
	}
	return nil
}

// matchVersion returns ErrUnsupported unless the version asked is the version offered. A missing "v"
// is ignored.
func matchVersion(asked, offered string) error {
	if asked == offered || "v"+asked == offered {
		return nil
	}
	return fault.WithHint(
		fault.Errorf(fault.ErrUnsupported, "this build of lab-engine contains Kubernetes %s, not %s", offered, asked),
		"leave out --kubernetes-version, or use --flavor kind")
}
