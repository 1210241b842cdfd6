package k3d

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// explain returns an error of k3d with a kind and a hint if its text contains a known cause.
// k3d wraps the engine's message in up to five others: only the engine's is kept.
func explain(err error) error {
	if err == nil || errors.Is(err, fault.ErrInvalid) {
		return err
	}
	words := err.Error()
	said, ok := docker.Daemon(words)
	switch {
	case ok && strings.Contains(said, "is already in use by container"):
		return fault.Errorf(fault.ErrExists, "%s", said)
	case ok:
		return fault.WithDetail(docker.Explain("", said, fmt.Errorf("%s%s", culprit(words), said)), words)
	}
	return docker.Explain("", words, errors.New(words))
}

// culprit returns the last container that k3d names, or "".
func culprit(words string) string {
	if i := strings.LastIndex(words, "'k3d-"); i >= 0 {
		if name, _, ok := strings.Cut(words[i+1:], "'"); ok {
			return name + ": "
		}
	}
	return ""
}

// lastWords adds to an error the last output of the node that it is about. k3d itself names
// only the line of the node's log that did not appear.
func lastWords(ctx context.Context, name string, cause error) error {
	if !strings.Contains(cause.Error(), "failed to get ready") {
		return cause
	}
	found, err := containers().Find(ctx, name)
	if err != nil {
		return cause
	}
	for _, n := range found {
		if !strings.Contains(cause.Error(), n.Name) {
			continue
		}
		return nodes.LastWords(ctx, n, fmt.Sprintf("node %s did not start: it is %s", n.Name, n.State.Status))
	}
	return cause
}
