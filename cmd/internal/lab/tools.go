package lab

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"

	"github.com/clusterlab-dev/lab/cmd/internal/tools"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Tool is a program that people use beside a cluster, as lab shows it.
type Tool struct {
	Name      string   `json:"name"`
	What      string   `json:"what"`                // it is for
	Version   string   `json:"version"`             // that lab installs
	URL       string   `json:"url,omitempty"`       // of its release for this platform; "" where lab knows no checksum of one
	SHA256    string   `json:"sha256,omitempty"`    // of that
	Installed string   `json:"installed,omitempty"` // the version that is there; "" where there is none, or it does not say
	Path      string   `json:"path,omitempty"`      // where it is
	ByLab     bool     `json:"byLab"`               // lab installed it
	New       bool     `json:"new,omitempty"`       // by this very call
	Notes     []string `json:"notes,omitempty"`     // what is not as one may think
}

// ToolList is the result of [Lab.Tools] and of [Lab.InstallTools].
type ToolList struct {
	Meta
	Directory string `json:"directory"` // that lab installs into
	OnPath    bool   `json:"onPath"`    // the shell looks there
	Items     []Tool `json:"items"`
}

// Tools shows the tools that lab installs, and what there is of them: in lab's own
// directory, or else on PATH. Nothing is asked over the network. It returns ErrNotFound for
// a name that is none, and ctx's error.
func (l *Lab) Tools(ctx context.Context, names ...string) (ToolList, error) {
	list := ToolList{Meta: Meta{APIVersion, "ToolList"}, Directory: l.Installer.Dir, OnPath: l.searched(l.Installer.Dir)}
	picked, err := l.pickTools(names)
	if err != nil {
		return list, err
	}
	list.Items = make([]Tool, len(picked))
	var wg sync.WaitGroup
	for i, t := range picked {
		wg.Go(func() { list.Items[i] = l.tool(ctx, t) })
	}
	wg.Wait()
	for i, t := range list.Items {
		if t.Name == kubectl {
			list.Items[i].Notes = append(t.Notes, l.skew(ctx, t)...)
		}
	}
	return list, ctx.Err()
}

func (l *Lab) pickTools(names []string) ([]tools.Tool, error) {
	catalog, err := l.Installer.Catalog()
	if err != nil {
		return nil, err
	}
	return catalog.Pick(names)
}

// tool looks for t, in lab's directory first.
func (l *Lab) tool(ctx context.Context, t tools.Tool) Tool {
	release := t.Files[l.Installer.Platform]
	shown := Tool{Name: t.Name, What: t.What, Version: t.Version, URL: release.URL, SHA256: release.SHA256}
	if shown.URL == "" {
		shown.Notes = append(shown.Notes, fmt.Sprintf("no checksum is known of it for %s, so lab does not install it", l.Installer.Platform))
	}
	held, err := l.Installer.Held(t)
	if err != nil {
		shown.Notes = append(shown.Notes, firstLine(err))
	}
	found, err := l.Machine.LookPath(t.Name)
	if held != "" {
		shown.Installed, shown.Path, shown.ByLab = held, l.Installer.Path(t.Name), true
		if err == nil && !sameFile(found, shown.Path) {
			shown.Notes = append(shown.Notes, "your shell finds another one first: "+found)
		}
		return shown
	}
	if err == nil {
		shown.Path, shown.Installed = found, l.Machine.Version(ctx, found, t.Ask...)
	}
	return shown
}

// sameFile compares paths as a shell makes them, of PATH and a name.
func sameFile(a, b string) bool { return filepath.Clean(a) == filepath.Clean(b) }

// searched tells whether dir is in PATH.
func (l *Lab) searched(dir string) bool {
	return slices.ContainsFunc(filepath.SplitList(l.Machine.Getenv("PATH")), func(p string) bool { return sameFile(p, dir) })
}

// PathCommand is what makes the shell look into lab's directory of tools.
func (l *Lab) PathCommand() string {
	if l.Machine.OS == "windows" {
		return fmt.Sprintf(`$env:Path = "%s;$env:Path"`, l.Installer.Dir)
	}
	return fmt.Sprintf(`export PATH="%s:$PATH" (in ~/.profile, to keep it)`, l.Installer.Dir)
}

// InstallTools installs the tools of these names, all where there is none, one after
// another: from the network or, where from is not "", from that directory. What is there
// already stays. One that fails does not keep the others from being installed, unless the
// network or the disk fails, or ctx ends. Errors: ErrNotFound for a name that is none, before
// anything is done, and those of [tools.Installer.Install].
func (l *Lab) InstallTools(ctx context.Context, names []string, from string, ca []byte, report event.Reporter) (ToolList, error) {
	picked, err := l.pickTools(names)
	if err != nil {
		return ToolList{}, err
	}
	source, err := l.toolSource(from, ca)
	if err != nil {
		return ToolList{}, err
	}
	fresh, failed := map[string]bool{}, error(nil)
	for _, t := range picked {
		err := report.Do("Installing "+t.Name+" "+t.Version, func(s *event.Step) error {
			isNew, err := l.Installer.Install(ctx, t, source, s.Progress)
			fresh[t.Name] = fresh[t.Name] || isNew
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
	list, err := l.Tools(ctx, names...)
	for i, t := range list.Items {
		list.Items[i].New = fresh[t.Name]
	}
	return list, err
}

func (l *Lab) toolSource(from string, ca []byte) (tools.Source, error) {
	if from != "" {
		return tools.Directory(from), nil
	}
	client, err := l.Installer.Client(ca)
	return tools.Network(client), err
}

// RemoveTools removes the tools of these names, all that lab installed where there is none,
// and returns the names of those that it removed. Errors are those of
// [tools.Installer.Remove], and ErrNotFound for a name that is none.
func (l *Lab) RemoveTools(names []string) (removed []string, err error) {
	picked, err := l.pickTools(names)
	if err != nil {
		return nil, err
	}
	for _, t := range picked {
		err := l.Installer.Remove(t)
		if len(names) == 0 && (errors.Is(err, fault.ErrNotFound) || errors.Is(err, fault.ErrForeign)) {
			continue // it was not asked for by name
		}
		if err != nil {
			return removed, err
		}
		removed = append(removed, t.Name)
	}
	return removed, nil
}
