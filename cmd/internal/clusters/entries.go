package clusters

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/kubeconfig"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// entries adds clusters to the user's kubeconfig and removes them.
type entries struct {
	set   *providers.Set
	files kubeconfig.Files
}

// check returns every problem that would keep the entries of a new cluster from the user's
// kubeconfig. The entries of the cluster that it replaces are not a problem.
func (e entries) check(ctx context.Context, h *inventory.Handle, flavor string) error {
	p, err := e.set.Get(flavor)
	if err != nil {
		return err
	}
	err = e.files.Check(ctx, p.Entries(h.Record.Name), h.Record.Context, h.Record.Identity)
	const without = "or leave the kubeconfig unchanged: lab up --no-kubeconfig"
	if hint := fault.HintOf(err); hint != "" {
		return fault.WithHint(err, "%s\n%s", hint, without)
	}
	return err
}

// noEntryError is the error of a ready cluster whose entry in the user's kubeconfig is missing or
// outdated. It hides the kind of its cause: the exit code of that would say that the cluster is not
// available.
type noEntryError struct {
	name        string
	cause       error
	interrupted error // the error of the context
}

func (e *noEntryError) Error() string {
	return fmt.Sprintf("cluster %q is ready, but lab cannot write its kubeconfig entry: %v", e.name, e.cause)
}

func (e *noEntryError) Unwrap() error { return e.interrupted }

// enter publishes a cluster that is ready. Its error is a noEntryError: the cluster stays.
func (e entries) enter(ctx context.Context, h *inventory.Handle, merge bool) error {
	err := e.publish(ctx, h, merge)
	if err == nil {
		return nil
	}
	hint := "lab use " + h.Record.Name
	if first := fault.HintOf(err); first != "" {
		hint = first + "\nthen add the entry: " + hint
	}
	return fault.WithHint(&noEntryError{h.Record.Name, err, ctx.Err()}, "%s", hint)
}

// splitNoEntry returns err as noEntry if it is a noEntryError, else as rest.
func splitNoEntry(err error) (noEntry, rest error) {
	if _, ok := errors.AsType[*noEntryError](err); ok {
		return err, nil
	}
	return nil, err
}

// publish records the context of a cluster and, if merge is true, adds the cluster to the user's
// kubeconfig as the current context.
func (e entries) publish(ctx context.Context, h *inventory.Handle, merge bool) error {
	config, err := h.Kubeconfig(ctx)
	if err != nil {
		return err
	}
	r := &h.Record
	if r.Context, err = kubeconfig.Context(config); err != nil {
		return err
	}
	if !merge {
		return h.Put()
	}
	before := *r
	if r.Identity, err = kubeconfig.Identity(config); err != nil {
		return err
	}
	// Recorded before the file is changed, so that down finds the entry if lab is killed in between.
	if err := h.Put(); err != nil {
		return err
	}
	merged, err := e.files.Merge(ctx, config, kubeconfig.Options{SetCurrent: true})
	if err != nil {
		h.Record = before // the file is unchanged
		return errors.Join(err, h.Put())
	}
	if old := r.KubeconfigPath; old != "" && old != merged.Path && !slices.Contains(r.OldPaths, old) {
		r.OldPaths = append(r.OldPaths, old)
	}
	r.KubeconfigPath = merged.Path
	return h.Put()
}

// remove removes the entries of a cluster from the present kubeconfig files, and from those that had
// them before.
func (e entries) remove(ctx context.Context, r state.Record) error {
	files := e.files
	if r.KubeconfigPath != "" {
		files.Paths = slices.Clone(files.Paths)
		for _, path := range append([]string{r.KubeconfigPath}, r.OldPaths...) {
			files.Holders = append(files.Holders, path)
			if !slices.Contains(files.Paths, path) {
				files.Paths = append(files.Paths, path)
			}
		}
	}
	return files.Remove(ctx, r.Context, r.Identity)
}
