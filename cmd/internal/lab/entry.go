package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/clusterlab-dev/lab/cmd/internal/kubeconfig"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// checkEntries returns everything that would keep the entries of a new cluster from the
// user's kubeconfig. Those of the cluster that the new one replaces do not.
func (l *Lab) checkEntries(h *handle, plan Plan) error {
	p, err := l.Set.Get(plan.Flavor)
	if err != nil {
		return err
	}
	err = l.Kubeconfig.Check(p.Entries(plan.Name), h.record.Context, h.record.Identity)
	const without = "or leave the kubeconfig unchanged: lab up --no-kubeconfig"
	if hint := fault.HintOf(err); hint != "" {
		return fault.WithHint(err, "%s\n%s", hint, without)
	}
	return err
}

// noEntryError says that a cluster is ready and that its entry in the user's kubeconfig
// is missing or outdated. It hides the kind of its cause, because the exit code of that
// would say that the cluster is not available.
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
func (l *Lab) enter(ctx context.Context, h *handle, merge bool) error {
	err := l.publish(ctx, h, merge)
	if err == nil {
		return nil
	}
	hint := "lab use " + h.record.Name
	if first := fault.HintOf(err); first != "" {
		hint = first + "\nthen add the entry: " + hint
	}
	return fault.WithHint(&noEntryError{h.record.Name, err, ctx.Err()}, "%s", hint)
}

// splitNoEntry returns err as noEntry where it is a noEntryError, else as rest.
func splitNoEntry(err error) (noEntry, rest error) {
	if _, ok := errors.AsType[*noEntryError](err); ok {
		return err, nil
	}
	return nil, err
}

// publish records the cluster and, if asked, puts it into the user's kubeconfig as
// the current context.
func (l *Lab) publish(ctx context.Context, h *handle, merge bool) error {
	config, err := h.kubeconfig(ctx)
	if err != nil {
		return err
	}
	r := &h.record
	if r.Context, err = kubeconfig.Context(config); err != nil {
		return err
	}
	if !merge {
		return h.put()
	}
	before := *r
	if r.Identity, err = kubeconfig.Identity(config); err != nil {
		return err
	}
	// Recorded before it is done, so that whatever happens in between, down finds it.
	if err := h.put(); err != nil {
		return err
	}
	merged, err := l.Kubeconfig.Merge(ctx, config, kubeconfig.Options{SetCurrent: true})
	if err != nil {
		// The file is as it was, so there is nothing to take out of it again.
		h.record = before
		return errors.Join(err, h.put())
	}
	if old := r.KubeconfigPath; old != "" && old != merged.Path && !slices.Contains(r.OldPaths, old) {
		r.OldPaths = append(r.OldPaths, old)
	}
	r.KubeconfigPath = merged.Path
	return h.put()
}
