package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// flagError adds a hint to the error of a flag: what was most likely meant.
func flagError(cmd *cobra.Command, err error) error {
	args := cmd.Flags().Args()
	if cmd.HasSubCommands() && len(args) > 0 {
		return onlyVerbs(cmd, args) // the command is unknown, so its flags are, too
	}
	hint := "list the flags: " + cmd.CommandPath() + " --help"
	if program := cmd.Name(); program == verbKubectl || program == verbHelm {
		hint = fmt.Sprintf("write the arguments of %s after --: lab %[1]s -- %s", program, strings.Join(append(args, "..."), " "))
	}
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok && unknown.GetSpecifiedShortnames() == "" {
		if near := nearestFlag(cmd.Flags(), unknown.GetSpecifiedName()); near != "" {
			hint = "did you mean --" + near + "?"
		}
	}
	return fault.WithHint(usage("%w", err), "%s", hint)
}

// nearestFlag returns the flag that name was most likely meant to be, or "": one that is spelled almost
// the same, or the one for a flag of another tool.
func nearestFlag(flags *pflag.FlagSet, name string) string {
	other := map[string]string{
		"agents": "workers", "nodes": "workers", "servers": "control-planes", "masters": "control-planes",
		"k8s-version": "kubernetes-version", "version": "kubernetes-version", "config": "cluster-config", "cluster": "name",
	}[name]
	if flags.Lookup(other) != nil {
		return other
	}
	var names []string
	flags.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	return fault.Nearest(name, names)
}

// otherWords returns the command of lab for words of kind, k3d, minikube, ctlptl or kubectl, or "".
func otherWords(args []string) string {
	words := slices.DeleteFunc(slices.Clone(args), func(word string) bool { return word == "cluster" || word == "clusters" })
	words = append(words, "", "")
	commands := map[string]string{
		"": "lab list", "get": "lab list", "ps": "lab list", "list": "lab list", "describe": "lab status", "info": "lab status", "get nodes": "lab status",
		"create": "lab up", "new": "lab up", "make": "lab up", "init": "lab up", "apply": "lab up -f FILE",
		"delete": "lab down", "remove": "lab down", "destroy": "lab down", "kill": "lab down",
		"start": "lab start", "resume": "lab start", "unpause": "lab start", "stop": "lab stop", "pause": "lab stop", "halt": "lab stop",
		"get kubeconfig": "lab kubeconfig", "export kubeconfig": "lab kubeconfig", "update-context": "lab use", "context": "lab use", "ctx": "lab use",
		"switch": "lab use", "export logs": "lab logs", "load": "lab image load IMAGE", "images": "lab image load IMAGE",
		"addons": "lab addon list", "addons enable": "lab addon install ADDON", "addons disable": "lab addon remove ADDON",
	}
	if command := commands[strings.TrimSpace(words[0]+" "+words[1])]; command != "" {
		return command
	}
	kubectl := []string{"get", "describe", "apply", "exec", "port-forward", "rollout", "scale", "edit", "cp", "run"}
	if words[1] != "" && slices.Contains(kubectl, words[0]) {
		return "lab kubectl -- " + words[0] + " " + words[1]
	}
	return commands[words[0]]
}

// namesCluster adds a hint to the error of a command on addons if one of its arguments is the name of a
// cluster.
func (c *command) namesCluster(cmd *cobra.Command, args []string, err error) error {
	if !errors.Is(err, fault.ErrNotFound) || len(args) < 2 {
		return err
	}
	names, _ := c.Inventory.Names("") // none on error
	i := slices.IndexFunc(args, func(arg string) bool { return slices.Contains(names, arg) })
	if i < 0 {
		return err
	}
	addons := slices.Delete(slices.Clone(args), i, i+1)
	return fault.WithHint(err, "name the cluster with a flag: %s %s --name %s", cmd.CommandPath(), strings.Join(addons, " "), args[i])
}
