package cli

import (
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/lab"
	"github.com/clusterlab-dev/lab/profiles"
)

// profileFlags are those that say what is written down somewhere.
func (o *upOptions) profileFlags(f *pflag.FlagSet) {
	f.StringVar(&o.profile, "profile", "", "begin with a builtin profile, or one in a file: "+strings.Join(profiles.Names(), ", "))
	f.StringVarP(&o.file, "file", "f", "", "a `file` that says what the lab is to be (lab profile show web is an example)")
}

// asked returns what the flags of a command and its argument ask for, with what is written
// down.
func (o *upOptions) asked(f *pflag.FlagSet, args []string) (profiles.Layer, lab.UpRequest, error) {
	all, err := o.merged(f, args)
	if err != nil {
		return all, lab.UpRequest{}, err
	}
	request, err := o.request(all)
	return all, request, err
}

// merged lays the flags above the file, the file above the profile, and that above the
// defaults.
func (o *upOptions) merged(f *pflag.FlagSet, args []string) (profiles.Layer, error) {
	all := profiles.Layer{Profile: profiles.Profile{Name: lab.DefaultName}, Origins: profiles.Origins{"name": "default"}}
	written := profiles.Layer{}
	var err error
	switch {
	case o.file != "":
		written, err = profiles.LoadFile(o.file, o.profile)
	case o.profile != "":
		written, err = profiles.Load(o.profile)
	}
	if err != nil {
		return all, err
	}
	all = all.Under(written).Under(o.flagged(f))
	if len(args) > 0 {
		all.Name, all.Origins["name"] = profiles.Name(args[0]), "argument"
	}
	return all, nil
}

// flagged returns the layer of the flags that were typed.
func (o *upOptions) flagged(f *pflag.FlagSet) profiles.Layer {
	l := profiles.Layer{Origins: profiles.Origins{}}
	l.Flavor, l.TTL = o.flavor, profiles.TTL(o.ttl.String())
	l.Cluster = profiles.Cluster{
		KubernetesVersion: profiles.Version(o.spec.KubernetesVersion), Image: o.spec.NodeImage, Driver: o.spec.Driver,
		ControlPlanes: o.spec.ControlPlanes, Workers: o.spec.Workers, Config: profiles.File(o.native),
	}
	for _, s := range o.ports {
		l.Cluster.Ports = append(l.Cluster.Ports, profiles.Port(s))
	}
	for _, s := range o.mounts {
		l.Cluster.Mounts = append(l.Cluster.Mounts, profiles.Mount(s))
	}
	for _, name := range o.addons.list() {
		l.Addons = append(l.Addons, profiles.Addon{Name: profiles.Label(name)})
		l.Origins["addons."+name] = "--addon"
	}
	for flag, path := range map[string]string{
		"flavor": "flavor", "ttl": "ttl", "kubernetes-version": "cluster.kubernetesVersion", "image": "cluster.image", "driver": "cluster.driver",
		"control-planes": "cluster.controlPlanes", "workers": "cluster.workers", "port": "cluster.ports",
		"mount": "cluster.mounts", "cluster-config": "cluster.config",
	} {
		if f.Changed(flag) {
			l.Origins[path] = "--" + flag
		}
	}
	return l
}

// request turns what was merged into what package lab is asked.
func (o *upOptions) request(all profiles.Layer) (lab.UpRequest, error) {
	spec, err := all.Spec()
	if err != nil {
		return lab.UpRequest{}, err
	}
	asked, err := o.addonRequest(all.Addons)
	if err != nil {
		return lab.UpRequest{}, err
	}
	if all.Cluster.Config != "" {
		if spec.Native, err = os.ReadFile(string(all.Cluster.Config)); err != nil {
			return lab.UpRequest{}, usage("the cluster configuration cannot be read: %w", err)
		}
	}
	return lab.UpRequest{
		Flavor: all.Flavor, Spec: spec, TTL: all.TTL.Duration(), Profile: o.profileOf(all),
		NoKubeconfig: o.noKubeconfig, Prune: o.prune, Recreate: o.recreate, Addons: asked,
	}, nil
}

// profileOf returns the profile that a cluster is made by, for people to recognize.
func (o *upOptions) profileOf(all profiles.Layer) string {
	if o.profile != "" {
		return o.profile
	}
	return all.Extends
}

// addonRequest turns what was merged into what is asked of addons. Values that were typed
// count above those of files.
func (o *upOptions) addonRequest(asked []profiles.Addon) (lab.AddonRequest, error) {
	q, err := o.addons.request()
	if err != nil {
		return q, err
	}
	q.Names = nil
	for _, a := range asked {
		name := string(a.Name)
		q.Names = append(q.Names, name)
		if len(a.Values) > 0 {
			q.Values[name] = addons.Merge(addons.Values(a.Values), q.Values[name])
		}
		if a.Chart != (profiles.Chart{}) {
			q.Defined = append(q.Defined, ownAddon(a))
		}
	}
	return q, nil
}

// ownAddon is an addon that a file brings along.
func ownAddon(a profiles.Addon) addons.Addon {
	own := addons.Addon{Name: string(a.Name), Namespace: string(a.Namespace), Chart: addons.Chart{
		Path: string(a.Chart.Path), OCI: a.Chart.OCI, Repository: a.Chart.Repository, Name: a.Chart.Name, Version: a.Chart.Version,
	}}
	for _, need := range a.Needs {
		own.Needs = append(own.Needs, string(need))
	}
	return own
}
