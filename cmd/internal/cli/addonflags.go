package cli

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
)

// addonOptions are the flags for the values of addons and the sources of their charts.
type addonOptions struct {
	values  []string
	sets    addons.Sets
	offline bool
	caFile  string
}

func (o *addonOptions) flags(f *pflag.FlagSet) {
	f.StringArrayVar(&o.values, "values", nil, "file with chart values, as ADDON=FILE (- is standard input)")
	f.StringArrayVar(&o.sets.Values, "set", nil, "chart value, as ADDON.PATH=VALUE in the syntax of helm")
	f.StringArrayVar(&o.sets.Strings, "set-string", nil, "like --set, but VALUE is always a string")
	f.StringArrayVar(&o.sets.JSON, "set-json", nil, "like --set, but VALUE is JSON")
	f.StringArrayVar(&o.sets.Files, "set-file", nil, "like --set, but VALUE is a file that contains the value")
	f.StringArrayVar(&o.sets.Literals, "set-literal", nil, "like --set, but VALUE is taken literally")
	f.BoolVar(&o.offline, "offline", false, "use only charts and images of this machine (see lab bundle)")
	f.StringVar(&o.caFile, "ca-file", "", "`file` with additional CA certificates (PEM) for chart sources")
}

// splitNames returns the names of addons in args. An argument may have several, separated by
// commas.
func splitNames(args []string) []string {
	var names []string
	for _, list := range args {
		for name := range strings.SplitSeq(list, ",") {
			if name = strings.TrimSpace(name); name != "" {
				names = append(names, name)
			}
		}
	}
	return names
}

// warnOf prints the warnings of the named addons.
func warnOf(c *command, progress *ui.Progress, names []string) error {
	catalog, err := c.Addons.Catalog()
	if err != nil {
		return err
	}
	for _, name := range names {
		if a, err := catalog.Get(name); err == nil && a.Warning != "" {
			progress.Warn("%s", a.Warning)
		}
	}
	return nil
}

// completeAddons completes the names of the catalog.
func (c *command) completeAddons(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	catalog, _ := c.Addons.Catalog()
	var names []string
	for _, a := range catalog.All() {
		names = append(names, a.Name+"\t"+a.Summary)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
