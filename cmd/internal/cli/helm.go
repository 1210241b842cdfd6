package cli

import (
	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/providers/fault"
)

const verbHelm = "helm"

func newHelm(c *command) *cobra.Command {
	return &cobra.Command{
		Use:   verbHelm + " [NAME] -- ARGS...",
		Short: "Run helm on a cluster",
		Long: `Run helm on the cluster, regardless of the current context. NAME defaults to "lab".
lab runs the helm on PATH, else the one that "lab tools install" installed, else
lab-helm, which "make build" writes next to lab. The namespace is that of the cluster's
context in your kubeconfig, which "lab ns" sets; --namespace after -- selects another.
The exit code is that of helm.`,
		Example: `  lab helm -- list --all-namespaces
  lab helm demo -- install web ./chart`,
		ValidArgsFunction: c.completeNames,
		RunE:              func(cmd *cobra.Command, args []string) error { return runClient(c, cmd, args, c.findHelm) },
	}
}

// findHelm returns the path of helm. It prefers the helm on PATH, as findKubectl does.
func (c *command) findHelm() (path string, args []string, err error) {
	if path, found := firstProgram("helm", c.Tools.Installer.Path("helm"), c.Helm); found {
		return path, nil, nil
	}
	err = fault.Errorf(fault.ErrUnavailable, "helm is not installed")
	return "", nil, fault.WithHint(err, "install it: lab tools install helm; or build lab-helm next to lab: make build")
}
