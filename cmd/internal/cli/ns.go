package cli

import (
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// NamespaceList is the result of `lab ns` without an argument.
type NamespaceList struct {
	output.Meta
	Current string   `json:"current"`
	Items   []string `json:"items"`
}

func newNS(c *command) *cobra.Command {
	return &cobra.Command{
		Use:   "ns [NAMESPACE]",
		Short: "Show or set the current namespace of kubectl",
		Long: `Show the namespaces of the current cluster of your kubeconfig, or set the namespace of
its current context. The cluster need not be managed by lab.`,
		Example: `  lab ns                           list namespaces
  lab ns kube-system               use kube-system`,
		Args: oneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			list, err := namespaces(c, cmd.Context())
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return ui.Print(c.streams.Out, c.format, list, func() ui.View { return namespacesView(list) })
			}
			if !slices.Contains(list.Items, args[0]) {
				err := fault.Errorf(fault.ErrNotFound, "the cluster has no namespace %q", args[0])
				return fault.WithHint(err, "list the namespaces: lab ns; or create it: kubectl create namespace %s", args[0])
			}
			if err := c.Clusters.Kubeconfig.SetNamespace(cmd.Context(), args[0]); err != nil {
				return err
			}
			progress := c.progress("")
			defer progress.Close()
			progress.Note("kubectl now uses namespace %s.", args[0])
			return nil
		},
	}
}

// namespaces reads the namespaces of the cluster of the current context, which need not be
// managed by lab.
func namespaces(c *command, ctx context.Context) (NamespaceList, error) {
	list := NamespaceList{Meta: output.Meta{APIVersion: output.APIVersion, Kind: "NamespaceList"}}
	var err error
	if list.Current, err = c.Clusters.Kubeconfig.Namespace(); err != nil {
		return list, err
	}
	path, args, err := c.findKubectl()
	if err != nil {
		return list, err
	}
	out, err := exec.CommandContext(ctx, path, append(args, "get", "--raw", "/api/v1/namespaces", "--request-timeout", "10s")...).Output() // --raw writes no cache
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && ctx.Err() == nil {
		err = fault.Errorf(fault.ErrUnavailable, "cannot read the namespaces: %s", strings.TrimSpace(string(exit.Stderr)))
		return list, fault.WithHint(err, "check the cluster: lab status; or switch to another one: lab use NAME")
	}
	if err != nil {
		return list, err
	}
	var answer struct {
		Items []struct{ Metadata struct{ Name string } }
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		return list, fault.Errorf(fault.ErrUnavailable, "cannot parse the namespaces: %w", err)
	}
	for _, item := range answer.Items {
		list.Items = append(list.Items, item.Metadata.Name)
	}
	return list, nil
}

func namespacesView(list NamespaceList) ui.View {
	t := ui.NewTable("namespace", "")
	for _, name := range list.Items {
		mark := ""
		if name == list.Current {
			mark = "current"
		}
		t.Row(name, ui.State(mark))
	}
	return t
}
