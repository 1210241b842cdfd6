package cli

import (
	"cmp"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/spf13/pflag"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/clusteraddons"
	"github.com/clusterlab-dev/lab/cmd/internal/clusters"
	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/profiles"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// profileFlags adds the flags that name a profile and a file.
func (o *upOptions) profileFlags(f *pflag.FlagSet) {
	f.StringVar(&o.profile, "profile", "", strings.Join(profiles.Names(), ", ")+", or a file to start from")
	f.StringVarP(&o.file, "file", "f", "", "`file` that describes the cluster (- is standard input); see lab profile show")
}

// upRequest returns the request of a command: its argument, merged over its flags, the file, the
// profile and the defaults.
func upRequest(c *command, o *upOptions, args []string) (profiles.Layer, clusters.UpRequest, error) {
	if o.prune && !o.requestsAddons() {
		err := usage("--prune without a request would remove all addons")
		return profiles.Layer{}, clusters.UpRequest{}, fault.WithHint(err, "name the file that has the addons to keep: lab up -f lab.yaml --prune; or remove one: lab addon remove ADDON")
	}
	written, err := c.written(o.file, o.profile)
	if err != nil {
		return written, clusters.UpRequest{}, err
	}
	all := o.merged(written, args)
	request, err := requestOf(c, o, all)
	if err != nil {
		return all, request, err
	}
	request.Addons.Described = o.file != "" || o.profile != ""
	for _, a := range written.Addons {
		request.Addons.Written = append(request.Addons.Written, string(a.Name))
	}
	return all, request, nil
}

// requestsAddons reports whether a command has a source of addons: a file (even one without addons), a profile or a flag.
func (o *upOptions) requestsAddons() bool {
	return o.file != "" || o.profile != "" || len(o.layer.Addons) > 0
}

// merged merges the argument over the flags, these over the file and the profile, and these
// over the defaults.
func (o *upOptions) merged(written profiles.Layer, args []string) profiles.Layer {
	all := profiles.Layer{Profile: profiles.Profile{Name: inventory.DefaultName}, Origins: profiles.Origins{"name": "default"}}
	all = all.Under(written).Under(o.layer)
	if len(args) > 0 {
		all.Name, all.Origins["name"] = profiles.Name(args[0]), "argument"
	}
	return all
}

// requestOf converts the merged layer and the other options to a request for package lab.
func requestOf(c *command, o *upOptions, all profiles.Layer) (clusters.UpRequest, error) {
	spec, err := all.Spec()
	if err != nil {
		return clusters.UpRequest{}, err
	}
	asked, err := addonRequest(c, &o.addons, all.Addons)
	if err != nil {
		return clusters.UpRequest{}, err
	}
	if config := string(all.Cluster.Config); config != "" {
		if spec.Native, err = c.read("--cluster-config", "the cluster configuration", config); err != nil {
			return clusters.UpRequest{}, err
		}
		if spec.NativeDir, err = filepath.Abs(filepath.Dir(config)); err != nil { // standard input: the current directory
			return clusters.UpRequest{}, err
		}
	}
	spec.NoCache = o.noCache
	return clusters.UpRequest{
		From: o.from, Flavor: all.Flavor, Spec: spec, Given: all.Origins, TTL: all.TTL.Duration(), Profile: o.profileOf(all),
		NoKubeconfig: o.noKubeconfig, Prune: o.prune, Recreate: o.recreate, Addons: asked,
		Wait: o.wait, Rollback: o.rollback,
	}, nil
}

// profileOf returns the profile that is shown for the cluster.
func (o *upOptions) profileOf(all profiles.Layer) string {
	if o.profile != "" {
		return o.profile
	}
	return all.Extends
}

// addonRequest returns the request for the addons of a merged layer and the flags. Values of
// flags override values of files.
func addonRequest(c *command, o *addonOptions, merged []profiles.Addon) (clusteraddons.Request, error) {
	q := clusteraddons.Request{Offline: o.offline}
	var err error
	if q.CA, err = c.readCA(o.caFile); err != nil {
		return q, err
	}
	values := map[string]addons.Values{}
	for _, a := range merged {
		q.Names = append(q.Names, string(a.Name))
		if len(a.Values) > 0 {
			values[string(a.Name)] = a.Values
		}
		if a.Chart != (profiles.Chart{}) {
			q.Defined = append(q.Defined, ownAddon(a))
		}
	}
	for _, s := range o.values {
		addon, v, err := readValues(c, s)
		if err != nil {
			return q, err
		}
		values[addon] = addons.Merge(values[addon], v)
		q.Flagged = append(q.Flagged, addon)
	}
	var unread error
	q.Values, err = c.Addons.Tools.Set(values, o.sets, func(path string) (data []byte, err error) {
		data, unread = c.read("--set-file", "the value of --set-file", path)
		return data, unread
	})
	for name, v := range q.Values {
		if !reflect.DeepEqual(v, values[name]) {
			q.Flagged = append(q.Flagged, name)
		}
	}
	return q, cmp.Or(unread, err)
}

// readCA reads the file of --ca-file; it returns nil for "".
func (c *command) readCA(file string) ([]byte, error) {
	if file == "" {
		return nil, nil
	}
	return c.read("--ca-file", "the CA certificates", file)
}

// readValues reads the file of a --values flag, ADDON=FILE.
func readValues(c *command, s string) (addon string, v addons.Values, err error) {
	addon, file, ok := strings.Cut(s, "=")
	if !ok || addon == "" || file == "" {
		return "", nil, fault.WithHint(usage("--values %q is not ADDON=FILE", s), "for example --values hello=hello.yaml")
	}
	data, err := c.read("--values", "the values of "+addon, file)
	if err != nil {
		return "", nil, err
	}
	if v, err = addons.ParseValues(data); err != nil {
		return "", nil, fault.WithHint(fault.Errorf(fault.ErrInvalid, "%s: %w", file, err), "%s", fault.HintOf(err))
	}
	return addon, v, nil
}

// ownAddon returns an addon that a file defines.
func ownAddon(a profiles.Addon) addons.Addon {
	own := addons.Addon{Name: string(a.Name), Namespace: string(a.Namespace), Chart: a.Chart.Source()}
	for _, need := range a.Needs {
		own.Needs = append(own.Needs, string(need))
	}
	for _, what := range a.Provides {
		own.Provides = append(own.Provides, string(what))
	}
	return own
}
