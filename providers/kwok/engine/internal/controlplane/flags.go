package controlplane

import (
	"fmt"
	"io"

	"github.com/spf13/pflag"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apiserver/pkg/util/compatibility"
	"k8s.io/client-go/rest"
	cliflag "k8s.io/component-base/cli/flag"

	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/dir"
)

// EngineKubeconfig is the kubeconfig of the components of the engine.
const EngineKubeconfig = dir.EngineKubeconfig

// Flags that effectively remove the rate limit: in one process, the API server needs no protection from
// the controllers, and a limit would delay clusters with a thousand nodes.
const (
	unlimitedQPS   = "--kube-api-qps=5000"
	unlimitedBurst = "--kube-api-burst=10000"
)

// Prepare sets the feature gates and the compatibility version, which all components share because
// Kubernetes stores them in package variables. featureGates is the value of the flag, or "". Prepare must
// be called once, before any component runs.
func Prepare(featureGates string) error {
	// Warnings about deprecated APIs are for users, not for these controllers.
	rest.SetDefaultWarningHandler(rest.NoWarnings{})

	registry := compatibility.DefaultComponentGlobalsRegistry
	if featureGates != "" {
		flags := pflag.NewFlagSet("feature gates", pflag.ContinueOnError)
		registry.AddFlags(flags)
		if err := flags.Set("feature-gates", featureGates); err != nil {
			return fmt.Errorf("feature gates: %w", err)
		}
	}
	if err := registry.Set(); err != nil {
		return fmt.Errorf("feature gates: %w", err)
	}
	return utilerrors.NewAggregate(registry.Validate())
}

// parse sets flags as the command line of the program does.
func parse(program string, sets cliflag.NamedFlagSets, args []string) error {
	all := pflag.NewFlagSet(program, pflag.ContinueOnError)
	all.SetOutput(io.Discard) // pflag prints warnings about deprecated flags here
	for _, set := range sets.FlagSets {
		set.SetOutput(io.Discard)
		all.AddFlagSet(set)
	}
	if err := all.Parse(args); err != nil {
		return fmt.Errorf("flags of %s: %w", program, err)
	}
	return nil
}
