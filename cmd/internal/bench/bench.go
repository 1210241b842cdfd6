// Package bench compares the time that lab needs to create a cluster with the time of the
// flavor's own tool, or of lab under other conditions. Both sides alternate on the same machine
// and wait for the same things: all nodes are ready, and DNS works.
package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/clusters"
	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/profiles"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

const (
	// Rest is how long the machine is observed before each measurement, without work of lab.
	Rest = time.Second

	// cleansWithin limits the deletion of the cluster of a tool.
	cleansWithin = 2 * time.Minute
)

// Against is what lab is compared with.
type Against string

// What lab can be compared with.
const (
	AgainstTool     Against = "tool"     // the flavor's own tool
	AgainstCold     Against = "cold"     // lab with an empty cache
	AgainstWarm     Against = "warm"     // lab again: the ratio shows how exact the measurement is
	AgainstSnapshot Against = "snapshot" // lab with a snapshot of such a cluster
)

// Set parses the value of a flag. It returns ErrInvalid if s is not something to compare with.
func (a *Against) Set(s string) error {
	all := []Against{AgainstTool, AgainstCold, AgainstWarm, AgainstSnapshot}
	if !slices.Contains(all, Against(s)) {
		return fault.Errorf(fault.ErrInvalid, "cannot compare with %q: use tool, cold, warm or snapshot", s)
	}
	*a = Against(s)
	return nil
}

// String returns the value as it is typed.
func (a *Against) String() string { return string(*a) }

// Type names the choices in the help text of a flag.
func (*Against) Type() string { return "tool|cold|warm|snapshot" }

// Bench creates and deletes clusters to measure them. It touches no cluster that it did not
// create.
type Bench struct {
	Inventory *inventory.Inventory
	Runs      *clusters.Runs
	Snapshots *clusters.Snapshots
	Cold      func(cache string) *clusters.Runs // lab with another cache, in an empty directory
	Meter     Meter
	Rest      time.Duration // the constant, except in tests
}

// Request is what to measure.
type Request struct {
	Flavors []string
	Rounds  int
	Against Against
	Up      clusters.UpRequest // of every cluster; its name and its flavor are ignored
	Timeout time.Duration      // of one creation; 0: none
	Lab     string             // the version of lab, for the report
}

// Run measures each flavor. It returns ErrInvalid, the errors of [clusters.Clusters.Up], and
// those of [providers.Set.Alone]. It deletes every cluster that it created, also when ctx ends.
func (b *Bench) Run(ctx context.Context, q Request, report event.Reporter) (Report, error) {
	if q.Rounds < 1 {
		return Report{}, fault.WithHint(fault.Errorf(fault.ErrInvalid, "%d rounds: at least one is needed", q.Rounds), "use --rounds 5")
	}
	if q.Against == AgainstTool && len(q.Up.Addons.Names) > 0 {
		err := fault.Errorf(fault.ErrInvalid, "a tool alone installs no addons, so lab cannot be compared with it")
		return Report{}, fault.WithHint(err, "remove --addon, or use --against cold")
	}
	all := Report{
		Meta: output.NewMeta("Benchmark"), Time: b.Inventory.Now().UTC().Truncate(time.Second),
		Machine: b.Meter.Machine(), Lab: q.Lab, Against: q.Against, Methods: methods(),
	}
	for _, flavor := range q.Flavors {
		c, err := b.compare(ctx, flavor, q, report)
		if err != nil {
			return Report{}, err
		}
		all.Items = append(all.Items, c)
	}
	return all, nil
}

// side is one way to create a cluster.
type side struct {
	Side
	// create creates a cluster, calls ready as soon as it is ready, and deletes it.
	create func(ctx context.Context, name string, ready func(), report event.Reporter) error
}

// compare measures one flavor.
func (b *Bench) compare(ctx context.Context, flavor string, q Request, report event.Reporter) (_ Comparison, err error) {
	q.Up.Flavor = flavor
	q.Up.Spec = q.Up.Spec.WithDefaults()
	q.Up.Spec.NoCache = true // the tool alone does not use it
	// These clusters are temporary, and yet as safe as those that users keep.
	q.Up.Given = maps.Clone(q.Up.Given)
	if q.Up.Given == nil {
		q.Up.Given = profiles.Origins{}
	}
	q.Up.Given["cluster.unsyncedEtcd"] = "lab bench"
	lab := &side{Side{Name: "lab up"}, b.byLab(b.Runs, q.Up)}
	peer, end, err := b.peer(ctx, q, report)
	if err != nil {
		return Comparison{}, err
	}
	defer func() { err = errors.Join(err, end()) }()
	for i := range q.Rounds {
		pair := []*side{lab, peer}
		if i%2 == 1 { // the second one may profit from what the first one left in memory
			slices.Reverse(pair)
		}
		for _, s := range pair {
			round, err := b.measure(ctx, s, fmt.Sprintf("%s: %s, round %d of %d", flavor, s.Name, i+1, q.Rounds), q.Timeout, report)
			if err != nil {
				return Comparison{}, fmt.Errorf("%s: %s: %w", flavor, s.Name, err)
			}
			s.Rounds = append(s.Rounds, round)
		}
	}
	return comparison(flavor, q.Up.Spec, lab.summarize(), peer.summarize()), nil
}

// measure creates one cluster and returns what that took.
func (b *Bench) measure(ctx context.Context, s *side, title string, timeout time.Duration, report event.Reporter) (Round, error) {
	var round Round
	err := report.Do(title, func(step *event.Step) error {
		busy, err := b.observe(ctx)
		if err != nil {
			return err
		}
		limited := ctx
		if timeout > 0 {
			var cancel context.CancelFunc
			limited, cancel = context.WithTimeout(ctx, timeout)
			defer cancel()
		}
		steps := &stopwatch{shown: step}
		m := begin(b.Meter)
		defer m.stop()
		return s.create(limited, newName(), func() {
			round = m.end()
			round.BusyBefore, round.Steps = busy, steps.soFar()
		}, steps.report)
	})
	return round, err
}

// observe returns the share of the processors that other programs use, or nil where that is
// unknown.
func (b *Bench) observe(ctx context.Context) (*float64, error) {
	before := b.Meter.Read()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(b.Rest):
	}
	return busyShare(before, b.Meter.Read()), nil
}

// stopwatch records the steps of a creation, and shows which of them runs.
type stopwatch struct {
	shown *event.Step

	mu  sync.Mutex
	all []Step
}

func (w *stopwatch) report(e event.Event) {
	switch e.State {
	case event.Started:
		w.shown.Progress(e.Step)
	case event.Done:
		w.mu.Lock()
		defer w.mu.Unlock()
		w.all = append(w.all, Step{Name: e.Step, Seconds: e.Elapsed.Seconds()})
	}
}

// soFar returns the steps until now.
func (w *stopwatch) soFar() []Step {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.all)
}

// newName returns a name that no other cluster has.
func newName() string { return "bench-" + strings.TrimPrefix(clusters.RunName(), "run-") }

// peer returns what lab is compared with. The caller calls end after the last round.
func (b *Bench) peer(ctx context.Context, q Request, report event.Reporter) (_ *side, end func() error, err error) {
	end = func() error { return nil }
	switch q.Against {
	case AgainstWarm:
		return &side{Side{Name: "lab up again"}, b.byLab(b.Runs, q.Up)}, end, nil
	case AgainstCold:
		return &side{Side{Name: "lab up, empty cache"}, b.byColdLab(q.Up)}, end, nil
	case AgainstSnapshot:
		return b.bySnapshot(ctx, q.Up, report)
	}
	s, err := b.byTool(ctx, q.Up)
	return s, end, err
}

// bySnapshot creates and saves a cluster, and returns the side that creates clusters from this
// snapshot. end removes the snapshot.
func (b *Bench) bySnapshot(ctx context.Context, q clusters.UpRequest, report event.Reporter) (_ *side, end func() error, err error) {
	if err := b.Inventory.Set.CanSnapshot(q.Flavor); err != nil {
		return nil, nil, err
	}
	name := newName()
	err = report.Do(q.Flavor+": saving a cluster", func(step *event.Step) error {
		source := q
		source.Spec.Name = name
		left, err := b.Runs.Run(ctx, source, clusters.Work{
			Do: func(clusters.Running) error {
				_, err := b.Snapshots.Save(ctx, name, name, nil)
				return err
			},
			Failed: func(clusters.Running) {},
			Keep:   func() bool { return false },
		}, func(e event.Event) { step.Progress(e.Step) })
		return errors.Join(err, left)
	})
	end = func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleansWithin)
		defer cancel()
		return b.Snapshots.Remove(ctx, name)
	}
	if err != nil {
		_ = end() // it may have been saved
		return nil, nil, err
	}
	q.From = name
	return &side{Side{Name: "lab up --from"}, b.byLab(b.Runs, q)}, end, nil
}

// byLab creates clusters as `lab run` does, which deletes them in any case: if this process is
// killed, the next lab command does.
func (b *Bench) byLab(runs *clusters.Runs, q clusters.UpRequest) func(context.Context, string, func(), event.Reporter) error {
	return func(ctx context.Context, name string, ready func(), report event.Reporter) error {
		q := q
		q.Spec.Name = name
		left, err := runs.Run(ctx, q, clusters.Work{
			Do:     func(clusters.Running) error { ready(); return nil },
			Failed: func(clusters.Running) {},
			Keep:   func() bool { return false },
		}, report)
		return errors.Join(err, left)
	}
}

// nodesOf returns the number of nodes of a spec.
func nodesOf(spec providers.Spec) int { return spec.ControlPlanes + spec.Workers }
