package nodes

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// logsWithin bounds the saving of logs before a cluster is removed that failed.
const logsWithin = 30 * time.Second

// WithLogs has export save the logs of a cluster that is about to be removed because of
// cause into a directory of its own below parent, "" being the system's for temporary
// files, and returns cause with the place. Where no node ever ran there is nothing to
// save, and where they cannot be saved cause is what matters.
func (t Tool) WithLogs(ctx context.Context, name, parent string, cause error, export func(ctx context.Context, dir string) error) error {
	nodes, err := t.Find(ctx, name)
	if err != nil || !slices.ContainsFunc(nodes, docker.Container.Running) {
		return cause
	}
	ctx, cancel := context.WithTimeout(ctx, logsWithin)
	defer cancel()
	parent = cmp.Or(parent, os.TempDir())
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return cause
	}
	dir, err := os.MkdirTemp(parent, "lab-"+name+"-logs-")
	if err != nil {
		return cause
	}
	if err := export(ctx, dir); err != nil {
		if entries, _ := os.ReadDir(dir); len(entries) == 0 {
			_ = os.Remove(dir)
			return cause
		}
	}
	return providers.WithHint(fmt.Errorf("%w\nits logs are in %s", cause, filepath.Clean(dir)),
		"%s", cmp.Or(providers.HintOf(cause), "read the logs in "+dir))
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
