// Package lab holds the use cases: what each command does, without a word on how
// it is typed or printed. Data passes in one direction: a command calls a method
// of [Lab], which asks package state what lab made, [providers.Set] to change it,
// and reports what happens as events.
package lab

import (
	"context"
	"errors"
	"os"
	"runtime"
	"time"

	"github.com/clusterlab-dev/lab/addons/download"
	"github.com/clusterlab-dev/lab/cmd/internal/doctor"
	"github.com/clusterlab-dev/lab/cmd/internal/kubeconfig"
	"github.com/clusterlab-dev/lab/cmd/internal/probe"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/cmd/internal/tools"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// DefaultName is the cluster that commands work on where none is named.
const DefaultName = "lab"

// rollback bounds the removal of a cluster that could not be finished. It is not
// part of the time that a person gave to the creation, which may be over.
const rollback = 2 * time.Minute

// Lab is everything that the use cases need. It is safe for concurrent use.
type Lab struct {
	Set        *providers.Set
	State      *state.Store
	Kubeconfig kubeconfig.Files
	Probe      Prober
	Now        func() time.Time
	Machine    doctor.Machine // what Doctor looks at
	Flavor     string         // of new clusters where none is asked for; "" is FlavorAuto
	ConfigDir  string         // of the user: their own addons are in it
	Addons     AddonTools
	Installer  tools.Installer // of what people use beside a cluster

	// Misconfigured is why the user's configuration cannot be used. With it, Doctor is all
	// that there is to call: the rest would work otherwise than its user meant.
	Misconfigured error

	own []string // the directories that are lab's alone
}

// New returns a Lab that keeps things in dirs and edits the kubeconfig that kubectl
// would use.
func New(dirs Dirs, set *providers.Set, prober Prober) *Lab {
	return &Lab{
		Set:        set,
		own:        []string{dirs.State, dirs.Cache, dirs.Config, dirs.Bin},
		State:      state.Open(dirs.State),
		Kubeconfig: kubeconfig.FromEnv(os.Getenv, dirs.Home),
		Probe:      prober,
		Now:        time.Now,
		Machine:    doctor.This(dirs.State, dirs.Bin, set.All()...),
		ConfigDir:  dirs.Config,
		Installer: tools.Installer{
			Dir: dirs.Bin, Platform: runtime.GOOS + "/" + runtime.GOARCH, Catalog: tools.Builtin,
			Client: func(ca []byte) (download.Client, error) {
				return download.New(download.Options{CA: ca})
			},
		},
	}
}

// Prober asks a cluster's API server how it is. [probe.API] is the real one.
type Prober interface {
	Wait(ctx context.Context, kubeconfig []byte, want probe.Want, moved func(string)) error
	Look(ctx context.Context, kubeconfig []byte, want probe.Want) (probe.Report, error)
}

// find returns the record of a cluster that lab made, and ErrInvalid where this lab does not
// have its flavor. Where lab made none of that name, but some tool has one, it returns
// ErrForeign.
func (l *Lab) find(ctx context.Context, name string) (state.Record, error) {
	r, err := l.State.Get(name)
	switch {
	case err == nil:
		return r, l.hasFlavor(r)
	case !errors.Is(err, fault.ErrNotFound):
		return r, err
	}
	// Tools that cannot be asked have none that matters here.
	if c, ok, _ := l.foreign(ctx, name); ok {
		return r, l.foreignError(c)
	}
	return r, fault.WithHint(
		fault.Errorf(fault.ErrNotFound, "there is no cluster %q", name),
		"lab list shows those that there are; lab up %s makes it", name)
}

// foreign looks for a cluster that lab has no record of. err is of the tools that
// could not be asked.
func (l *Lab) foreign(ctx context.Context, name string, flavors ...string) (c providers.Cluster, ok bool, err error) {
	all, err := l.Set.List(ctx, flavors...)
	for _, c := range all {
		if c.Name == name {
			return c, true, err
		}
	}
	return providers.Cluster{}, false, err
}

// foreignError is the error of a cluster that lab has no record of. One that bears a mark was
// created by some lab: one with another LAB_HOME, or this one before its record was removed.
func (l *Lab) foreignError(c providers.Cluster) error {
	err := fault.Errorf(fault.ErrForeign, "there is a %s cluster %q that lab did not make", c.Provider, c.Name)
	first := ""
	if c.Mark != "" {
		err = fault.Errorf(fault.ErrForeign, "there is a %s cluster %q that lab created, but %s has no record of it", c.Provider, c.Name, l.State.Dir(c.Name))
		first = "if it was created with another LAB_HOME, use that; else "
	}
	if command := l.Set.RemoveCommand(c.Provider, c.Name); command != "" {
		return fault.WithHint(err, "%schoose another name, or delete the cluster: %s", first, command)
	}
	return fault.WithHint(err, "%schoose another name, or remove it with %s itself", first, c.Provider)
}

func refOf(r state.Record) providers.Ref {
	return providers.Ref{Provider: r.Flavor, Name: r.Name, ID: r.ID, Mark: r.Spec.Mark, Engine: r.Engine}
}
