package machine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"

	"github.com/clusterlab-dev/lab/cmd/internal/doctor"
	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/tools"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Tools lists, installs and removes the tools that people use with a cluster.
type Tools struct {
	Installer tools.Installer
	Machine   doctor.Machine
	Inventory *inventory.Inventory

	// Stored returns a source that has some releases on this machine, and asks next for others. It may be nil.
	Stored func(next tools.Source) tools.Source
}

// Tool is a tool on this machine.
type Tool struct {
	Name      string   `json:"name"`
	What      string   `json:"what"`                // what it is for
	Version   string   `json:"version"`             // that lab installs
	URL       string   `json:"url,omitempty"`       // of its release for this platform; "" if lab has no checksum of one
	SHA256    string   `json:"sha256,omitempty"`    // of the release
	Installed string   `json:"installed,omitempty"` // the installed version; "" if there is none or it is unknown
	Path      string   `json:"path,omitempty"`      // of the installed program
	ByLab     bool     `json:"byLab"`               // lab installed it
	New       bool     `json:"new,omitempty"`       // this call installed it
	Notes     []string `json:"notes,omitempty"`     // problems that the user should know of
}

// ToolList is the result of [Tools.List] and [Tools.Install].
type ToolList struct {
	output.Meta
	Directory string `json:"directory"` // that lab installs into
	OnPath    bool   `json:"onPath"`    // whether PATH has the directory
	Items     []Tool `json:"items"`
}

// List returns the tools that lab can install, and which are installed: in lab's directory, or else on
// PATH. It does not use the network. It returns ErrNotFound for an unknown name, and the error of ctx.
func (t *Tools) List(ctx context.Context, names ...string) (ToolList, error) {
	list := ToolList{Meta: output.NewMeta("ToolList"), Directory: t.Installer.Dir, OnPath: t.onPath(t.Installer.Dir)}
	picked, err := t.pick(names)
	if err != nil {
		return list, err
	}
	list.Items = make([]Tool, len(picked))
	var wg sync.WaitGroup
	for i, tool := range picked {
		wg.Go(func() { list.Items[i] = t.find(ctx, tool) })
	}
	wg.Wait()
	for i, tool := range list.Items {
		if tool.Name == kubectl {
			list.Items[i].Notes = append(tool.Notes, t.skew(ctx, tool)...)
		}
	}
	return list, ctx.Err()
}

func (t *Tools) pick(names []string) ([]tools.Tool, error) {
	catalog, err := t.Installer.Catalog()
	if err != nil {
		return nil, err
	}
	return catalog.Pick(names)
}

// find looks for a tool, in lab's directory first.
func (t *Tools) find(ctx context.Context, tool tools.Tool) Tool {
	release := tool.Files[t.Installer.Platform]
	shown := Tool{Name: tool.Name, What: tool.What, Version: tool.Version, URL: release.URL, SHA256: release.SHA256}
	if shown.URL == "" {
		shown.Notes = append(shown.Notes, fmt.Sprintf("lab cannot install it: no checksum for %s is known", t.Installer.Platform))
	}
	held, err := t.Installer.Held(tool)
	if err != nil {
		shown.Notes = append(shown.Notes, fault.FirstLine(err))
	}
	found, err := t.Machine.LookPath(tool.Name)
	if held != "" {
		shown.Installed, shown.Path, shown.ByLab = held, t.Installer.Path(tool.Name), true
		if err == nil && !sameFile(found, shown.Path) {
			shown.Notes = append(shown.Notes, "your shell finds another one first: "+found)
		}
		return shown
	}
	if err == nil {
		shown.Path, shown.Installed = found, t.Machine.Version(ctx, found, tool.Ask...)
	}
	return shown
}

// sameFile compares paths that a shell joins from PATH and a name.
func sameFile(a, b string) bool { return filepath.Clean(a) == filepath.Clean(b) }

// onPath reports whether PATH has a directory.
func (t *Tools) onPath(dir string) bool {
	return slices.ContainsFunc(filepath.SplitList(t.Machine.Getenv("PATH")), func(p string) bool { return sameFile(p, dir) })
}

// PathCommand returns the command that adds lab's directory of tools to PATH.
func (t *Tools) PathCommand() string {
	if t.Machine.OS == "windows" {
		return fmt.Sprintf(`$env:Path = "%s;$env:Path"`, t.Installer.Dir)
	}
	return fmt.Sprintf(`export PATH="%s:$PATH" (in ~/.profile, to keep it)`, t.Installer.Dir)
}

// Install installs the named tools, or all if none is named, one after another: from the directory
// from, or from the network if from is "". Installed tools stay. If one fails, the others are still
// installed, unless the network or the disk fails or ctx ends. Errors: ErrNotFound for an unknown name,
// before anything is done, and those of [tools.Installer.Install].
func (t *Tools) Install(ctx context.Context, names []string, from string, ca []byte, report event.Reporter) (ToolList, error) {
	picked, err := t.pick(names)
	if err != nil {
		return ToolList{}, err
	}
	source, err := t.source(from, ca)
	if err != nil {
		return ToolList{}, err
	}
	fresh, failed := map[string]bool{}, error(nil)
	for _, tool := range picked {
		err := report.Do("Installing "+tool.Name+" "+tool.Version, func(s *event.Step) error {
			isNew, err := t.Installer.Install(ctx, tool, source, s.Progress)
			fresh[tool.Name] = fresh[tool.Name] || isNew
			return err
		})
		failed = errors.Join(failed, err)
		if ctx.Err() != nil || errors.Is(err, fault.ErrUnavailable) {
			break
		}
	}
	if failed != nil {
		return ToolList{}, failed
	}
	list, err := t.List(ctx, names...)
	for i, tool := range list.Items {
		list.Items[i].New = fresh[tool.Name]
	}
	return list, err
}

func (t *Tools) source(from string, ca []byte) (tools.Source, error) {
	if from != "" {
		return tools.Directory(from), nil
	}
	client, err := t.Installer.Client(ca)
	if t.Stored == nil || err != nil {
		return tools.Network(client), err
	}
	return t.Stored(tools.Network(client)), nil
}

// Remove removes the named tools, or all that lab installed if none is named, and returns the names of
// those that it removed. Errors are those of [tools.Installer.Remove], and ErrNotFound for an unknown
// name.
func (t *Tools) Remove(names []string) (removed []string, err error) {
	picked, err := t.pick(names)
	if err != nil {
		return nil, err
	}
	for _, tool := range picked {
		err := t.Installer.Remove(tool)
		if len(names) == 0 && (errors.Is(err, fault.ErrNotFound) || errors.Is(err, fault.ErrForeign)) {
			continue // the user did not name it
		}
		if err != nil {
			return removed, err
		}
		removed = append(removed, tool.Name)
	}
	return removed, nil
}

const kubectl = "kubectl"

// skew returns notes on a kubectl that is too old or too new. kubectl supports the versions of
// Kubernetes next to its own. It is compared with the clusters of lab, and with the kubectl in the
// catalog, whose version is that of new clusters.
func (t *Tools) skew(ctx context.Context, tool Tool) []string {
	version := cmp.Or(tool.Installed, tool.Version)
	var notes []string
	if tooFar(version, tool.Version) {
		notes = append(notes, fmt.Sprintf("%s is too far from %s to work well with new clusters", version, tool.Version))
	}
	list, _ := t.Inventory.List(ctx, false) // a cluster whose tool cannot be asked has no version
	for _, c := range list.Items {
		if tooFar(version, c.KubernetesVersion) {
			notes = append(notes, fmt.Sprintf("%s is too far from cluster %s, which has %s", version, c.Name, c.KubernetesVersion))
		}
	}
	return notes
}

// tooFar reports whether two versions, such as v1.37.2, are more than one minor version apart. A
// version that cannot be parsed is not.
func tooFar(a, b string) bool {
	var majorA, minorA, majorB, minorB int
	if _, err := fmt.Sscanf(a, "v%d.%d", &majorA, &minorA); err != nil {
		return false
	}
	if _, err := fmt.Sscanf(b, "v%d.%d", &majorB, &minorB); err != nil {
		return false
	}
	return majorA != majorB || minorA-minorB > 1 || minorB-minorA > 1
}
