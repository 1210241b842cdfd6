package cli

import (
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/lab"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/providers"
)

// addonOptions are the flags that say what addons are told, and where charts may come
// from.
type addonOptions struct {
	names   []string
	set     []string
	values  []string
	offline bool
	caFile  string
}

func (o *addonOptions) flags(f *pflag.FlagSet) {
	f.StringArrayVar(&o.set, "set", nil, "tell an addon's chart one value, as ADDON.PATH=VALUE")
	f.StringArrayVar(&o.values, "values", nil, "tell an addon's chart the values of a file, as ADDON=FILE")
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

// request reads files, then single values, which count above them.
func (o *addonOptions) request() (lab.AddonRequest, error) {
	q := lab.AddonRequest{Names: o.list(), Values: map[string]addons.Values{}, Offline: o.offline, CAFile: o.caFile}
	for _, s := range o.values {
		addon, file, ok := strings.Cut(s, "=")
		if !ok || addon == "" || file == "" {
			return q, providers.WithHint(usage("--values %q is not ADDON=FILE", s), "for example --values hello=hello.yaml")
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return q, providers.WithHint(usage("the values of %s cannot be read: %w", addon, err), "a path is relative to the directory that you are in")
		}
		v, err := addons.ParseValues(data)
		if err != nil {
			return q, providers.Errorf(providers.ErrInvalid, "%s: %w", file, err)
		}
		q.Values[addon] = addons.Merge(q.Values[addon], v)
	}
	for _, s := range o.set {
		addon, v, err := addons.ParseSet(s)
		if err != nil {
			return q, err
		}
		q.Values[addon] = addons.Merge(q.Values[addon], v)
	}
	return q, nil
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
