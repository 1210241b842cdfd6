package doctor

import (
	"context"
	"path/filepath"
	"regexp"
	"sync"
)

// tools looks for what people use beside lab, on PATH and where lab puts it. None of them
// is needed.
func (m Machine) tools(ctx context.Context) []Finding {
	list := []struct {
		name string
		args []string // that make it say its version, without a cluster
	}{
		{"kubectl", []string{"version", "--client"}},
		{"helm", []string{"version", "--short"}},
		{"kind", []string{"version"}},
		{"k3d", []string{"version"}},
		{"minikube", []string{"version", "--short"}},
		{"k9s", []string{"version", "--short"}},
	}
	found := make([]Finding, len(list))
	var wg sync.WaitGroup
	for i, tool := range list {
		wg.Go(func() { found[i] = m.tool(ctx, tool.name, tool.args) })
	}
	wg.Wait()
	return found
}

func (m Machine) tool(ctx context.Context, name string, args []string) Finding {
	path, err := m.LookPath(name)
	where := ""
	if err != nil {
		path, err = m.LookPath(filepath.Join(m.Bin, name))
		where = ", which is not on PATH"
	}
	if err != nil {
		return ok(name, "not installed; lab does without")
	}
	version := m.Version(ctx, path, args...)
	if version == "" {
		return Finding{name, Warning, "it does not say its version: " + path, "a broken or foreign program of that name confuses whoever calls it",
			"see what " + path + " is"}
	}
	return ok(name, version+" at "+path+where)
}

// Version returns the version that the program at path prints when it is called with args,
// or "" where it prints none.
func (m Machine) Version(ctx context.Context, path string, args ...string) string {
	out, err := m.Run(ctx, path, args...)
	if err != nil {
		return ""
	}
	return regexp.MustCompile(`v?[0-9]+\.[0-9]+\.[0-9]+\S*`).FindString(string(out))
}
