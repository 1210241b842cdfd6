package doctor

import (
	"context"
	"path/filepath"
	"regexp"
	"sync"

	"github.com/clusterlab-dev/lab/providers"
)

// tools looks for programs that users run beside lab, on PATH and in Bin. lab needs none of them.
func (m Machine) tools(ctx context.Context) []Finding {
	list := []providers.Tool{
		{Name: "kubectl", VersionArgs: []string{"version", "--client"}},
		{Name: "helm", VersionArgs: []string{"version", "--short"}},
	}
	for _, p := range m.Flavors {
		list = append(list, p.Describe().Tools...)
	}
	list = append(list, providers.Tool{Name: "k9s", VersionArgs: []string{"version", "--short"}})
	found := make([]Finding, len(list))
	var wg sync.WaitGroup
	for i, tool := range list {
		wg.Go(func() { found[i] = m.tool(ctx, tool) })
	}
	wg.Wait()
	return found
}

func (m Machine) tool(ctx context.Context, tool providers.Tool) Finding {
	path, err := m.LookPath(tool.Name)
	where := ""
	if err != nil {
		path, err = m.LookPath(filepath.Join(m.Bin, tool.Name))
		where = ", which is not on PATH"
	}
	if err != nil {
		return ok(tool.Name, "not installed")
	}
	version := m.Version(ctx, path, tool.VersionArgs...)
	if version == "" {
		return Finding{tool.Name, Warning, path + " prints no version", "it is broken, or another program of the same name",
			"find out what it is: file " + path}
	}
	return ok(tool.Name, version+" at "+path+where)
}

// Version returns the version that the program at path prints when it is called with args, or "" if
// it prints none.
func (m Machine) Version(ctx context.Context, path string, args ...string) string {
	out, err := m.Run(ctx, path, args...)
	if err != nil {
		return ""
	}
	return regexp.MustCompile(`v?[0-9]+\.[0-9]+\.[0-9]+\S*`).FindString(string(out))
}
