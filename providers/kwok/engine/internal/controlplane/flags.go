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

// EngineKubeconfig is how the engine's own components reach the API server.
const EngineKubeconfig = dir.EngineKubeconfig

// Unlimited requests a second, as a flag: inside one process there is nobody to
// protect from the controllers, and a thousand nodes would wait for their turn.
const (
	unlimitedQPS   = "--kube-api-qps=5000"
	unlimitedBurst = "--kube-api-burst=10000"
)

// Prepare sets what all components of this process share, of which feature gates
// can be chosen: the value of their flag, or "". It must be called once, before any
// component runs: Kubernetes keeps these things in variables of its own.
func Prepare(featureGates string) error {
	// Warnings about deprecated APIs are for people, not for these controllers.
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

// parse sets flags as the program's own command line would.
func parse(program string, sets cliflag.NamedFlagSets, args []string) error {
	all := pflag.NewFlagSet(program, pflag.ContinueOnError)
	all.SetOutput(io.Discard) // where pflag would tell of deprecated flags
	for _, set := range sets.FlagSets {
		set.SetOutput(io.Discard)
		all.AddFlagSet(set)
	}
	if err := all.Parse(args); err != nil {
		return fmt.Errorf("flags of %s: %w", program, err)
	}
	return nil
}
