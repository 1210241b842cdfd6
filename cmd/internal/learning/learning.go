// Package learning runs exercises on clusters: it starts, checks and resets them, chooses hints, and
// keeps the progress of the person who uses lab. Package exercises has the packs and the checks.
package learning

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/clusteraddons"
	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/traffic"
	"github.com/clusterlab-dev/lab/exercises"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Learning runs exercises. It is safe for concurrent use.
type Learning struct {
	Inventory *inventory.Inventory
	Addons    *clusteraddons.Addons
	Traffic   *traffic.Traffic
	Dir       string // of the progress
	Images    string // an archive with the images of the builtin pack, which need not exist
	Connect   func(kubeconfig []byte) (exercises.Cluster, error)
}

// BuiltinPack is the pack that is part of lab.
const BuiltinPack = "lecture"

// resetTime is how long the namespaces of an exercise may take to be deleted.
const resetTime = 2 * time.Minute

// addonTime is how long the installation of the addons of an exercise may take.
const addonTime = 10 * time.Minute

// Choice is an exercise and the cluster to do it on.
type Choice struct {
	Exercise *exercises.Exercise
	Cluster  string
	Lang     string // the language that the student selected, or ""; a start remembers it
}

// Choose returns the exercise of a name and its cluster. Without a name it is the one that was
// started last. The cluster is the given one, or that of the last start, or the default. Choose
// returns ErrNotFound if no exercise was started.
func (l *Learning) Choose(pack *exercises.Pack, name, cluster string) (Choice, error) {
	h, err := l.progress().history()
	if err != nil {
		return Choice{}, err
	}
	if name == "" {
		started, ok := strings.CutPrefix(h.current, pack.Name+"/")
		if !ok {
			err := fault.Errorf(fault.ErrNotFound, "no exercise was started")
			return Choice{}, fault.WithHint(err, "start the first one: lab exercise start %s", pack.Exercises[0].Name)
		}
		name = started
	}
	e, err := pack.Get(name)
	if err != nil {
		return Choice{}, err
	}
	return Choice{Exercise: e, Cluster: cmp.Or(cluster, h.of(pack.Name, name).cluster, inventory.DefaultName)}, nil
}

// Next returns the exercise to continue with: the one that was started last if it is neither passed nor half done, else the
// first such exercise after it, else the first of the pack. It returns nil if no exercise is left.
func (l *Learning) Next(pack *exercises.Pack) (*exercises.Exercise, error) {
	items, _, err := l.List(pack)
	current := max(slices.IndexFunc(items, func(item Item) bool { return item.Current }), 0)
	for n := range items {
		i := (current + n) % len(items)
		if state := items[i].State; state == StateNew || state == StateStarted {
			return pack.Exercises[i], err
		}
	}
	return nil, err
}

// Language returns the language that the student selected for a pack, or "".
func (l *Learning) Language(pack string) (string, error) {
	h, err := l.progress().history()
	return h.languages[pack], err
}

func (l *Learning) progress() progressFile {
	return progressFile{filepath.Join(l.Dir, "progress.jsonl")}
}

// Item is an exercise in a list.
type Item struct {
	Exercise *exercises.Exercise
	State    string
	Current  bool
	Cluster  string
}

// List returns the exercises of a pack with the progress. warning says what is wrong with the
// progress file, if anything.
func (l *Learning) List(pack *exercises.Pack) (items []Item, warning string, err error) {
	h, err := l.progress().history()
	if err != nil {
		return nil, "", err
	}
	for _, e := range pack.Exercises {
		s := h.of(pack.Name, e.Name)
		items = append(items, Item{e, s.state, h.current == pack.Name+"/"+e.Name, s.cluster})
	}
	return items, h.skippedWarning(l.progress().path), nil
}

// place is the cluster of an exercise.
type place struct {
	exercises.Cluster
	runsPods bool
	id       string
	context  string
	ref      providers.Ref
	missing  []string // addons that the exercise needs and the cluster lacks
	config   []byte   // its kubeconfig
}

// open returns the cluster of a choice. If it does not exist, open returns ErrNotFound with the command that creates one
// for the exercise.
func (l *Learning) open(ctx context.Context, c Choice) (place, error) {
	h, err := l.Inventory.OpenUsable(ctx, c.Cluster)
	if errors.Is(err, fault.ErrNotFound) {
		up := "lab up " + c.Cluster
		if workers := Workers(c.Exercise); workers > 0 {
			up += fmt.Sprintf(" --workers %d", workers)
		}
		if names := c.Exercise.Needs.AddonNames(); len(names) > 0 {
			up += " --addon " + strings.Join(names, ",")
		}
		start := c.Exercise.Name
		if c.Cluster != inventory.DefaultName {
			start += " --name " + c.Cluster
		}
		return place{}, fault.WithHint(err, "create one: %s; or let the exercise create it: lab exercise start %s --up", up, start)
	}
	if err != nil {
		return place{}, err
	}
	target, err := h.Target(ctx)
	if err != nil {
		return place{}, err
	}
	cluster, err := l.Connect(target.Kubeconfig)
	if err != nil {
		return place{}, err
	}
	missing, err := l.Addons.Missing(h.Record, c.Exercise.Needs.AddonNames())
	return place{cluster, target.Traits.RunsPods, h.Record.ID, h.Record.Context, h.Ref(), missing, target.Kubeconfig}, err
}

// HasCluster reports whether lab has a cluster of this name, in any state.
func (l *Learning) HasCluster(c Choice) bool {
	_, err := l.Inventory.State.Get(c.Cluster)
	return !errors.Is(err, fault.ErrNotFound)
}

// Workers returns the number of workers that a new cluster for an exercise needs.
func Workers(e *exercises.Exercise) int { return max(e.Needs.Nodes-1, 0) }

// fits returns ErrUnsupported if a cluster lacks what an exercise needs.
func fits(ctx context.Context, c Choice, p place) error {
	e := c.Exercise
	if e.Needs.Pods && !p.runsPods {
		err := fault.Errorf(fault.ErrUnsupported, "exercise %s needs containers that run, and cluster %q simulates them", e.Name, c.Cluster)
		return fault.WithHint(err, "use a cluster that runs them: lab flavors shows which flavors do; then: lab exercise start %s --name NAME", e.Name)
	}
	if e.Needs.Nodes < 2 {
		return nil
	}
	r, _ := exercises.ResourceOf("Node")
	nodes, err := p.List(ctx, r, "", "")
	if err != nil {
		return err
	}
	if len(nodes) < e.Needs.Nodes {
		err := fault.Errorf(fault.ErrUnsupported, "exercise %s needs %d nodes, and cluster %q has %d", e.Name, e.Needs.Nodes, c.Cluster, len(nodes))
		return fault.WithHint(err, "create another cluster: lab up %s2 --workers %d; then: lab exercise start %s --name %[1]s2", c.Cluster, Workers(e), e.Name)
	}
	return nil
}

// Start begins an exercise, and makes it the current one. It installs the addons that the exercise needs and the cluster
// lacks. Objects that exist stay as they are. Errors: ErrNotFound if there is no cluster, ErrUnsupported if it lacks what
// the exercise needs, those of [clusteraddons.Addons.Install] and of [exercises.Exercise.Begin].
func (l *Learning) Start(ctx context.Context, c Choice, report event.Reporter) error {
	p, err := l.open(ctx, c)
	if err != nil {
		return err
	}
	if err := fits(ctx, c, p); err != nil {
		return err
	}
	if err := l.restore(ctx, c.Cluster, p); err != nil {
		return err
	}
	if err := l.begin(ctx, c, p, report); err != nil {
		return err
	}
	started := l.now(eventStarted, c)
	started.Lang = c.Lang
	return l.progress().append(started)
}

// begin installs the addons and loads the images that an exercise needs, and begins it.
func (l *Learning) begin(ctx context.Context, c Choice, p place, report event.Reporter) error {
	if err := l.install(ctx, c, p, report); err != nil {
		return err
	}
	if p.runsPods {
		if err := l.LoadImages(ctx, c.Exercise.Pack, p.ref, report.For(c.Cluster)); err != nil {
			return err
		}
	}
	return report.For(c.Cluster).Do("Starting exercise "+c.Exercise.Name, func(*event.Step) error { return c.Exercise.Begin(ctx, p) })
}

// install installs the addons that an exercise needs and the cluster lacks. They stay when the exercise is removed.
func (l *Learning) install(ctx context.Context, c Choice, p place, report event.Reporter) error {
	if len(p.missing) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, addonTime)
	defer cancel()
	names := strings.Join(p.missing, ", ")
	return report.For(c.Cluster).Do(fmt.Sprintf("Installing what exercise %s needs: %s", c.Exercise.Name, names), func(*event.Step) error {
		if _, err := l.Addons.Install(ctx, c.Cluster, clusteraddons.Request{Names: p.missing}, report); err != nil {
			return withoutAddon(c, fmt.Errorf("exercise %s needs %s: %w", c.Exercise.Name, names, err))
		}
		return nil
	})
}

// OnlyHalf reports whether an exercise can only be half done on its cluster: a check needs containers that run, and the
// cluster simulates them.
func (l *Learning) OnlyHalf(c Choice) bool {
	r, err := l.Inventory.State.Get(c.Cluster)
	return err == nil && !r.Traits.RunsPods && c.Exercise.NeedsPods()
}

// withoutAddon adds to the hint of an addon's error what the student can do without the addon.
func withoutAddon(c Choice, err error) error {
	start := c.Exercise.Name
	if c.Cluster != inventory.DefaultName {
		start += " --name " + c.Cluster
	}
	hint := fmt.Sprintf("your cluster works, and other exercises do not need the addon: lab exercise list; to try again: lab exercise start %s", start)
	if first := fault.HintOf(err); first != "" {
		hint = first + "\n" + hint
	}
	return fault.WithHint(err, "%s", hint)
}

// Reset deletes the namespaces of an exercise. If again is true, it begins the exercise again.
func (l *Learning) Reset(ctx context.Context, c Choice, again bool, report event.Reporter) error {
	p, err := l.open(ctx, c)
	if err != nil {
		return err
	}
	if err := l.restore(ctx, c.Cluster, p); err != nil {
		return err
	}
	if err := l.end(ctx, c, p, report); err != nil || !again {
		return err
	}
	if err := fits(ctx, c, p); err != nil {
		return err
	}
	if err := l.begin(ctx, c, p, report); err != nil {
		return err
	}
	return l.progress().append(l.now(eventReset, c))
}

// end deletes the namespaces of an exercise.
func (l *Learning) end(ctx context.Context, c Choice, p place, report event.Reporter) error {
	ctx, cancel := context.WithTimeout(ctx, resetTime)
	defer cancel()
	return report.For(c.Cluster).Do("Deleting the namespaces of exercise "+c.Exercise.Name, func(*event.Step) error { return c.Exercise.End(ctx, p) })
}

// Solution records that the solution of an exercise was shown. It returns ErrInvalid if the exercise
// is not passed and the person did not confirm.
func (l *Learning) Solution(c Choice, confirmed bool) error {
	h, err := l.progress().history()
	if err != nil {
		return err
	}
	s := h.of(c.Exercise.Pack, c.Exercise.Name)
	if s.state != StatePassed && s.state != StateHalf && !confirmed && !s.solution {
		err := fault.Errorf(fault.ErrInvalid, "exercise %s is not passed yet", c.Exercise.Name)
		return fault.WithHint(err, "get a hint: lab exercise hint; or see the solution anyway: lab exercise solution %s --yes", c.Exercise.Name)
	}
	return l.progress().append(l.now(eventSolution, c))
}
