package kwok

import (
	"os"
	"regexp"
	"strings"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// engineConfig is the file engine.json, all that an engine is told.
type engineConfig struct {
	APIVersion   string `json:"apiVersion"`
	Kind         string `json:"kind"`
	Name         string `json:"name"`
	ControlPlane string `json:"controlPlane"` // the node's name
	Workers      int    `json:"workers"`
	Mark         string `json:"mark,omitempty"` // of no account to the engine
	Native       string `json:"native,omitempty"`
}

// configFor translates spec, or returns ErrInvalid or ErrUnsupported. What addons
// want of the cluster is not looked at: [Provider.Traits] tells them that they do
// not get it.
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

// Localize puts the files that KWOK's configuration names, relative to dir, into the
// configuration itself, as documents: the engine reads no file outside its directory. The
// path of one that cannot be read it leaves in place, for the engine to refuse.
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

// unsupported returns ErrUnsupported for the first thing in spec that kwok does
// not have, and as the hint what to do instead.
func unsupported(spec providers.Spec) error {
	for _, limit := range []struct {
		asked         bool
		says, instead string
	}{
		{spec.ControlPlanes > 1, "a kwok cluster has one control plane",
			"leave out --control-planes, or use --flavor kind"},
		{len(spec.Ports) > 0, "kwok cannot publish ports, because no pod runs that could answer",
			"leave out --port, or use --flavor kind"},
		{len(spec.Mounts) > 0, "kwok cannot mount directories, because its nodes are simulated",
			"leave out --mount, or use --flavor kind"},
		{spec.NodeImage != "", "kwok has no node image, because its nodes are simulated",
			"leave out --image, or use --flavor kind"},
		{spec.Driver != "", "kwok has no drivers",
			"leave out the driver, or use --flavor minikube"},
		{spec.CAFile != "", "kwok pulls no images, so it has no use for a CA file",
			"leave out the CA file, or use --flavor kind"},
	} {
		if limit.asked {
			return fault.WithHint(fault.Errorf(fault.ErrUnsupported, "%s", limit.says), "%s", limit.instead)
		}
	}
	return nil
}

// matchVersion returns ErrUnsupported unless asked is the version offered, with or
// without the "v".
func matchVersion(asked, offered string) error {
	if asked == offered || "v"+asked == offered {
		return nil
	}
	return fault.WithHint(
		fault.Errorf(fault.ErrUnsupported, "this build of kwok is Kubernetes %s, not %s", offered, asked),
		"leave out --kubernetes-version, or use --flavor kind")
}
