// Package lab joins the use cases of the program.
package lab

import (
	"context"
	"os"
	"runtime"
	"time"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/addons/download"
	"github.com/clusterlab-dev/lab/cmd/internal/clusteraddons"
	"github.com/clusterlab-dev/lab/cmd/internal/clusters"
	"github.com/clusterlab-dev/lab/cmd/internal/doctor"
	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/kubeconfig"
	"github.com/clusterlab-dev/lab/cmd/internal/machine"
	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/cmd/internal/tools"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
)

// Lab is the use cases of the program.
type Lab struct {
	*clusters.Clusters
	*clusters.Expiry
	*clusters.Runs
	*machine.Doctor
	Inventory *inventory.Inventory
	Addons    *clusteraddons.Addons
	Images    *clusters.Images
	Machine   *machine.Tools
	Dirs      machine.Dirs

	Set        *providers.Set
	State      *state.Store
	Kubeconfig kubeconfig.Files
	Installer  *tools.Installer
}

// New returns the use cases for the flavors of set. They keep their files in dirs.
func New(dirs machine.Dirs, set *providers.Set, prober inventory.Prober) *Lab {
	i := &inventory.Inventory{Set: set, State: state.Open(dirs.State), Probe: prober, Now: time.Now}
	files := kubeconfig.FromEnv(os.Getenv, dirs.Home)
	this := doctor.This(dirs.State, dirs.Bin, set.All()...)
	l := &Lab{
		Inventory: i, Set: set, State: i.State, Kubeconfig: files, Dirs: dirs,
		Addons: &clusteraddons.Addons{Inventory: i, ConfigDir: dirs.Config},
		Images: &clusters.Images{Inventory: i},
		Machine: &machine.Tools{Machine: this, Inventory: i, Installer: tools.Installer{
			Dir: dirs.Bin, Platform: runtime.GOOS + "/" + runtime.GOARCH, Catalog: tools.Builtin,
			Client: func(ca []byte) (download.Client, error) {
				return download.New(download.Options{CA: ca})
			},
		}},
	}
	l.Installer = &l.Machine.Installer
	l.Clusters = &clusters.Clusters{Inventory: i, Addons: l.Addons, Kubeconfig: files}
	l.Expiry, l.Runs = &clusters.Expiry{Clusters: l.Clusters}, &clusters.Runs{Clusters: l.Clusters}
	l.Doctor = &machine.Doctor{Machine: this, Inventory: i, Expiry: l.Expiry, Kubeconfig: files}
	return l
}

func (l *Lab) Now() time.Time { return l.Inventory.Now() }
func (l *Lab) ClusterConfig(ctx context.Context, name string) ([]byte, error) {
	return l.Clusters.Config(ctx, name)
}
func (l *Lab) ConfigFile(name string, config []byte) (string, error) {
	return l.State.Kubeconfig(name, config)
}
func (l *Lab) KubectlCache(name string) string { return l.State.Cache(name) }
func (l *Lab) LoadImages(ctx context.Context, name string, sources []string, report event.Reporter) error {
	return l.Images.Load(ctx, name, sources, report)
}
func (l *Lab) Catalog() (addons.Catalog, error) { return l.Addons.Catalog() }
func (l *Lab) Addon(name, addon string, defined []addons.Addon) (addons.Addon, error) {
	return l.Addons.Definition(name, addon, defined)
}
func (l *Lab) InstallAddons(ctx context.Context, name string, q AddonRequest, report event.Reporter) (Cluster, error) {
	return l.Addons.Install(ctx, name, q, report)
}
func (l *Lab) PreviewAddons(ctx context.Context, name string, q AddonRequest) (AddonChanges, error) {
	return l.Addons.Preview(ctx, name, q)
}
func (l *Lab) RemoveAddon(ctx context.Context, name, addon string, report event.Reporter) error {
	return l.Addons.Remove(ctx, name, addon, report)
}
func (l *Lab) OpenAddon(ctx context.Context, name, addon string, secrets bool) (Access, error) {
	return l.Addons.Open(ctx, name, addon, secrets)
}
func (l *Lab) Diagnose(ctx context.Context) (Diagnosis, error) { return l.Doctor.Examine(ctx) }
func (l *Lab) Flavors(ctx context.Context) (machine.FlavorList, error) {
	return machine.Flavors(ctx, l.Set)
}
func (l *Lab) Tools(ctx context.Context, names ...string) (ToolList, error) {
	return l.Machine.List(ctx, names...)
}
func (l *Lab) InstallTools(ctx context.Context, names []string, from string, ca []byte, report event.Reporter) (ToolList, error) {
	return l.Machine.Install(ctx, names, from, ca, report)
}
func (l *Lab) RemoveTools(names []string) ([]string, error) { return l.Machine.Remove(names) }
func (l *Lab) PathCommand() string                          { return l.Machine.PathCommand() }
func (l *Lab) HandBack(getenv func(string) string) (after func()) {
	return l.Dirs.HandBack(getenv, l.Kubeconfig.Paths)
}
func (l *Lab) Made(flavor string) ([]string, error) { return l.Inventory.Names(flavor) }
func (l *Lab) List(ctx context.Context, all bool) (ClusterList, error) {
	return l.Inventory.List(ctx, all)
}

type (
	Dirs         = machine.Dirs
	Meta         = output.Meta
	Cluster      = output.Cluster
	ClusterList  = output.ClusterList
	Addon        = output.Addon
	Diff         = output.Diff
	AddonTools   = clusteraddons.Tools
	AddonRequest = clusteraddons.Request
	AddonChanges = clusteraddons.Changes
	Access       = clusteraddons.Access
	UpRequest    = clusters.UpRequest
	Plan         = clusters.Plan
	Running      = clusters.Running
	Work         = clusters.Work
	Wait         = inventory.Wait
	Prober       = inventory.Prober
	Diagnosis    = machine.Diagnosis
	Flavor       = machine.Flavor
	FlavorList   = machine.FlavorList
	Abilities    = machine.Abilities
	Tool         = machine.Tool
	ToolList     = machine.ToolList
)

const (
	APIVersion     = output.APIVersion
	DefaultName    = inventory.DefaultName
	FlavorAuto     = clusters.FlavorAuto
	WaitAPI        = inventory.WaitAPI
	WaitNodes      = inventory.WaitNodes
	WaitAll        = inventory.WaitAll
	ActionCreate   = clusters.ActionCreate
	ActionRecreate = clusters.ActionRecreate
	ActionStart    = clusters.ActionStart
	ActionNone     = clusters.ActionNone
)

var ErrUnreadable = inventory.ErrUnreadable

func FindDirs(getenv func(string) string) (Dirs, error) { return machine.FindDirs(getenv) }
func RunName() string                                   { return clusters.RunName() }
