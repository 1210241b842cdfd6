package nodes

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/clusterlab-dev/lab/providers"
)

// PrepareAlone writes the configuration with which the tool of p creates the cluster of spec without lab
// into a file in dir, and returns the program of the tool and that file. plan returns the configuration,
// allowCgroupV1 changes it as for [Adapt], and encode writes it as YAML. Errors are those of
// [providers.Comparable].
func PrepareAlone[C any](ctx context.Context, p providers.Provider, spec providers.Spec, dir string,
	plan func(providers.Spec) (C, error), allowCgroupV1 func(C) bool, encode func(any) ([]byte, error),
) (program, file string, err error) {
	if program, err = exec.LookPath(p.Name()); err != nil {
		return "", "", providers.NoProgram(p.Name(), p.Describe().Homepage, err)
	}
	config, err := plan(spec)
	if err != nil {
		return "", "", err
	}
	if err := Adapt(ctx, 0, func() bool { return allowCgroupV1(config) }, nil); err != nil {
		return "", "", err
	}
	text, err := encode(config)
	if err != nil {
		return "", "", err
	}
	file = filepath.Join(dir, p.Name()+".yaml")
	return program, file, os.WriteFile(file, text, 0o600)
}
