package nodes

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// WithLogs is [providers.WithLogs] of a cluster of which some node runs. Where none ever
// did there is nothing to save.
func (t Tool) WithLogs(ctx context.Context, name, parent string, cause error, export func(ctx context.Context, dir string) error) error {
	nodes, err := t.Find(ctx, name)
	if err != nil || !slices.ContainsFunc(nodes, docker.Container.Running) {
		return cause
	}
	return providers.WithLogs(ctx, name, parent, cause, export)
}

// lastLines is how many lines of a node's log an error bears.
const lastLines = 12

// LastWords returns an error that says what happened to a node, and what it said last,
// with a hint where its words tell the cause.
func LastWords(ctx context.Context, n docker.Container, what string) error {
	var log bytes.Buffer
	_ = docker.Logs(ctx, n.ID, lastLines, &log) // what there is will do
	said := docker.LastLines(log.String(), lastLines)
	err := fmt.Errorf("%s\n%s", what, said)
	if hint := providers.HintOf(docker.Explain(said, err)); hint != "" {
		return providers.WithHint(err, "%s", hint)
	}
	return err
}
