package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/engine"
)

func runVersion(args []string, out, errOut io.Writer) int {
	v := struct {
		Engine            string `json:"engine"`
		KubernetesVersion string `json:"kubernetesVersion"`
		KwokVersion       string `json:"kwokVersion"`
	}{engine.Version(), engine.KubernetesVersion(), engine.KwokVersion()}

	switch {
	case len(args) == 0:
		fmt.Fprintf(out, "lab-engine %s, Kubernetes %s, KWOK %s\n", v.Engine, v.KubernetesVersion, v.KwokVersion)
	case slices.Equal(args, []string{"-o", "json"}), slices.Equal(args, []string{"-o=json"}):
		if err := json.NewEncoder(out).Encode(v); err != nil {
			fmt.Fprintf(errOut, "lab-engine: %v\n", err)
			return exitFailed
		}
	default:
		fmt.Fprint(errOut, usage)
		return exitUsage
	}
	return exitOK
}
