package cli

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
)

// addonOptions are the flags that say what addons are told, and where charts may come
// from.
type addonOptions struct {
	names   []string
	values  []string
	sets    addons.Sets
	offline bool
	caFile  string
}

func (o *addonOptions) flags(f *pflag.FlagSet) {
	f.StringArrayVar(&o.values, "values", nil, "values of an addon's chart, as ADDON=FILE; - is standard input")
	f.StringArrayVar(&o.sets.Values, "set", nil, "one value of an addon's chart, as ADDON.PATH=VALUE in helm's syntax")
	f.StringArrayVar(&o.sets.Strings, "set-string", nil, "like --set, but VALUE is always text")
	f.StringArrayVar(&o.sets.JSON, "set-json", nil, "like --set, but VALUE is JSON")
	f.StringArrayVar(&o.sets.Files, "set-file", nil, "like --set, but VALUE is a file whose text is the value")
	f.StringArrayVar(&o.sets.Literals, "set-literal", nil, "like --set, but VALUE is taken literally")
	f.BoolVar(&o.offline, "offline", false, "take charts from the cache and the disk, and never touch the network")
	f.StringVar(&o.caFile, "ca-file", "", "a `file` of certificates (PEM) by which to trust the sources of charts, beside the system's")
}

// list returns the names, of which a flag may hold several.
func (o *addonOptions) list() []string {
	var names []string
	for _, list := range o.names {
		for name := range strings.SplitSeq(list, ",") {
			if name = strings.TrimSpace(name); name != "" {
				names = append(names, name)
			}
		}
	}
	return names
}

// warnOf says of each addon what whoever installs it should know.
func (c *command) warnOf(progress *ui.Progress, names []string) error {
	catalog, err := c.Lab.Catalog()
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

// completeAddons completes the names of the catalogue.
func (c *command) completeAddons(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	catalog, _ := c.Lab.Catalog()
	var names []string
	for _, a := range catalog.All() {
		names = append(names, a.Name+"\t"+a.Summary)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
