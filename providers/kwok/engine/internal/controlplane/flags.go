package controlplane

import (
	"fmt"
	"io"

	"github.com/spf13/pflag"
	"k8s.io/apiserver/pkg/util/compatibility"
	"k8s.io/client-go/rest"
	cliflag "k8s.io/component-base/cli/flag"
)

// EngineKubeconfig is how the engine's own components reach the API server.
const EngineKubeconfig = "pki/engine.kubeconfig"

// Unlimited requests a second, as a flag: inside one process there is nobody to
// protect from the controllers, and a thousand nodes would wait for their turn.
const (
	unlimitedQPS   = "--kube-api-qps=5000"
	unlimitedBurst = "--kube-api-burst=10000"
)

// Prepare sets what all components of this process share. It must be called once,
// before any of them runs: Kubernetes keeps these things in variables of its own.
func Prepare() error {
	// Warnings about deprecated APIs are for people, not for these controllers.
	rest.SetDefaultWarningHandler(rest.NoWarnings{})

	return compatibility.DefaultComponentGlobalsRegistry.Set()
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
