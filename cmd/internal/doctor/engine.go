package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// What a node needs, from the experience of those who have less.
const (
	gib        = 1 << 30
	leastOf    = 1.5 * gib // memory; below, a control plane does not come up
	enoughOf   = 4 * gib   // below, a few addons fill it
	leastDisk  = 2 * gib
	enoughDisk = 10 * gib
	skewLimit  = 30 * time.Second // certificates and tokens of a cluster begin at once
	oldDocker  = 20               // its successors know cgroup v2
)

// info is what docker says of its engine. Podman says the same under other names.
type info struct {
	ServerVersion string
	MemTotal      uint64
	NCPU          int
	DockerRootDir string
	SystemTime    string
	OSType        string
}

type podmanInfo struct {
	Host struct {
		MemTotal uint64
		CPUs     int
	}
	Version struct{ Version string }
	Store   struct{ GraphRoot string }
}

// engine looks at the engine that runs nodes as containers. Without one there is still
// kwok, and so it does not block.
func (m Machine) engine(ctx context.Context) []Finding {
	name, i, err := m.ask(ctx)
	if err != nil {
		f := Finding{"container engine", Warning, lastLine(err), "kind, k3d and minikube run their nodes as containers", "start Docker: sudo systemctl start docker, or open Docker Desktop"}
		if errors.Is(err, exec.ErrNotFound) {
			f.Found, f.Mend = "neither docker nor podman is installed", "install Docker, or use kwok: lab up --flavor kwok"
		} else if strings.Contains(f.Found, "permission denied") {
			f.Mend = "sudo usermod -aG docker $USER, then log in again"
		}
		return []Finding{f, m.disk(m.Disk)}
	}
	found := []Finding{m.version(name, i), memory(i), cpus(i)}
	disk := m.disk(m.Disk)
	if _, err := m.Free(i.DockerRootDir); err == nil {
		disk = m.disk(i.DockerRootDir) // else it is in a virtual machine
	}
	return append(found, append([]Finding{disk}, m.clock(i)...)...)
}

// ask returns what the first engine that answers says, or why docker does not.
func (m Machine) ask(ctx context.Context) (name string, i info, err error) {
	if _, err = m.LookPath("docker"); err == nil {
		var out []byte
		if out, err = m.Run(ctx, "docker", "info", "--format", "{{json .}}"); err == nil {
			err = json.Unmarshal(out, &i)
		}
		if err == nil && i.ServerVersion == "" {
			err = errors.New("docker is installed, and its engine does not answer")
		}
		if err == nil {
			return "docker", i, nil
		}
	}
	if _, missing := m.LookPath("podman"); missing != nil {
		return "", info{}, err
	}
	out, failed := m.Run(ctx, "podman", "info", "--format", "json")
	var p podmanInfo
	if failed == nil {
		failed = json.Unmarshal(out, &p)
	}
	if failed != nil {
		return "", info{}, failed
	}
	return "podman", info{ServerVersion: p.Version.Version, MemTotal: p.Host.MemTotal, NCPU: p.Host.CPUs, DockerRootDir: p.Store.GraphRoot}, nil
}

func (m Machine) version(name string, i info) Finding {
	f := ok("container engine", name+" "+i.ServerVersion)
	major, err := strconv.Atoi(strings.Split(i.ServerVersion, ".")[0])
	if name == "docker" && err == nil && major < oldDocker {
		f.Level, f.Why, f.Mend = Warning, "nodes of today's Kubernetes do not start in it", "upgrade Docker to 20.10 or later"
	}
	return f
}

func memory(i info) Finding {
	f := ok("memory of the engine", size(i.MemTotal))
	const mend = "give it more: Docker Desktop, Settings, Resources; colima start --memory 8; podman machine set --memory 8192"
	switch {
	case i.MemTotal < leastOf:
		f.Level, f.Why, f.Mend = Blocking, "a control plane needs 1.5 GiB, and is killed where there is less", mend
	case i.MemTotal < enoughOf:
		f.Level, f.Why, f.Mend = Warning, "with less than 4 GiB, a few addons kill one another", mend
	}
	return f
}

func cpus(i info) Finding {
	f := ok("CPUs of the engine", strconv.Itoa(i.NCPU))
	if i.NCPU < 2 {
		f.Level, f.Why, f.Mend = Warning, "a cluster takes minutes to start on one", "give it two or more, where its memory is set"
	}
	return f
}

func (m Machine) disk(path string) Finding {
	bytes, err := m.Free(path)
	if err != nil {
		return ok("disk", "not known: "+err.Error())
	}
	f := ok("disk", size(bytes)+" free at "+path)
	const mend = "docker system prune removes what no container uses"
	switch {
	case bytes < leastDisk:
		f.Level, f.Why, f.Mend = Blocking, "images and etcd need 2 GiB at least, and a full disk breaks clusters that run", mend
	case bytes < enoughDisk:
		f.Level, f.Why, f.Mend = Warning, "the kubelet evicts pods where the disk is nearly full", mend
	}
	return f
}

// clock compares this clock with that of the engine, which is another one where it is in
// a virtual machine.
func (m Machine) clock(i info) []Finding {
	theirs, err := time.Parse(time.RFC3339Nano, i.SystemTime)
	if err != nil {
		return nil
	}
	skew := m.Now().Sub(theirs).Round(time.Second).Abs()
	f := ok("clock of the engine", fmt.Sprintf("%s from this one", skew))
	if skew > skewLimit {
		f.Level, f.Why, f.Mend = Warning, "certificates are not valid yet, or no more", "restart the engine: it takes the time anew"
	}
	return []Finding{f}
}

func size(bytes uint64) string { return fmt.Sprintf("%.1f GiB", float64(bytes)/gib) }

// lastLine is what a program said at its end.
func lastLine(err error) string {
	text := err.Error()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && len(exit.Stderr) > 0 {
		text = string(exit.Stderr)
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
