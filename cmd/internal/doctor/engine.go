package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
)

// The limits of the checks, from measurements on small machines.
const (
	minMemory    = 1.6e9 // with less, a control plane does not start
	enoughMemory = 4e9   // with less, a few addons run out of memory
	minDisk      = 2e9
	enoughDisk   = 10e9
	maxSkew      = 30 * time.Second // certificates and tokens are valid from the moment of their creation
	minDocker    = 20               // the first major version of Docker that supports cgroup v2
)

// info is the output of docker info.
type info struct {
	ServerVersion string
	MemTotal      uint64
	NCPU          int
	DockerRootDir string
	SystemTime    string
	OSType        string
}

// podmanInfo is the output of podman info.
type podmanInfo struct {
	Host struct {
		MemTotal uint64
		CPUs     int
	}
	Version struct{ Version string }
	Store   struct{ GraphRoot string }
}

// engine checks the container engine. A missing engine does not block if some flavor needs none.
func (m Machine) engine(ctx context.Context) []Finding {
	name, i, err := m.askEngine(ctx)
	if err != nil {
		return []Finding{m.noEngine(err), m.disk(m.Disk)}
	}
	disk := m.disk(m.Disk)
	if _, err := m.Free(i.DockerRootDir); err == nil { // otherwise the engine is in a virtual machine
		disk = m.disk(i.DockerRootDir)
	}
	return append([]Finding{engineVersion(name, i), memory(i), cpus(i), disk}, m.clock(i)...)
}

// noEngine returns the finding for an engine that is missing or does not answer.
func (m Machine) noEngine(err error) Finding {
	var with, without []string
	for _, p := range m.Flavors {
		if _, ok := p.(providers.EngineUser); ok {
			with = append(with, p.Name())
		} else {
			without = append(without, p.Name())
		}
	}
	f := Finding{
		Check: "container engine", Level: Warning, Found: lastLine(err),
		Why:  "these flavors run nodes as containers: " + strings.Join(with, ", "),
		Mend: "start Docker: sudo systemctl start docker, or open Docker Desktop",
	}
	switch {
	case errors.Is(err, exec.ErrNotFound):
		f.Found, f.Mend = "neither docker nor podman is installed", "install Docker"
		if len(without) > 0 {
			f.Mend += ", or use a flavor without containers: lab up --flavor " + without[0]
		}
	case strings.Contains(f.Found, "permission denied"):
		f.Mend = "sudo usermod -aG docker $USER, then log in again"
	}
	return f
}

// askEngine returns the name and the description of docker or else podman, whichever answers.
func (m Machine) askEngine(ctx context.Context) (name string, i info, err error) {
	i, err = m.askDocker(ctx)
	if err == nil {
		return "docker", i, nil
	}
	if _, missing := m.LookPath("podman"); missing != nil {
		return "", info{}, err
	}
	out, err := m.Run(ctx, "podman", "info", "--format", "json")
	if err != nil {
		return "", info{}, err
	}
	var p podmanInfo
	if err := json.Unmarshal(out, &p); err != nil {
		return "", info{}, err
	}
	return "podman", info{ServerVersion: p.Version.Version, MemTotal: p.Host.MemTotal, NCPU: p.Host.CPUs, DockerRootDir: p.Store.GraphRoot}, nil
}

func (m Machine) askDocker(ctx context.Context) (i info, err error) {
	if _, err := m.LookPath("docker"); err != nil {
		return i, err
	}
	out, err := m.Run(ctx, "docker", "info", "--format", "{{json .}}")
	if err != nil {
		return i, err
	}
	if err := json.Unmarshal(out, &i); err != nil {
		return i, err
	}
	if i.ServerVersion == "" {
		return i, errors.New("docker is installed, but its engine does not answer")
	}
	return i, nil
}

func engineVersion(name string, i info) Finding {
	f := ok("container engine", name+" "+i.ServerVersion)
	major, err := strconv.Atoi(strings.Split(i.ServerVersion, ".")[0])
	if name == "docker" && err == nil && major < minDocker {
		f.Level, f.Why, f.Mend = Warning, "nodes of current Kubernetes versions do not start in it", "upgrade Docker to 20.10 or later"
	}
	return f
}

func memory(i info) Finding {
	f := ok("memory of the engine", size(i.MemTotal))
	const fix = "raise the limit: Docker Desktop, Settings, Resources; colima start --memory 8; podman machine set --memory 8192"
	switch {
	case i.MemTotal < minMemory:
		f.Level, f.Why, f.Mend = Blocking, "a control plane needs 1.6 GB; with less, the kernel kills it", fix
	case i.MemTotal < enoughMemory:
		f.Level, f.Why, f.Mend = Warning, "with less than 4 GB, a few addons run out of memory", fix
	}
	return f
}

func cpus(i info) Finding {
	f := ok("CPUs of the engine", strconv.Itoa(i.NCPU))
	if i.NCPU < 2 {
		f.Level, f.Why, f.Mend = Warning, "a cluster takes minutes to start on one CPU", "raise the limit to 2 or more, in the settings of the engine"
	}
	return f
}

func (m Machine) disk(path string) Finding {
	bytes, err := m.Free(path)
	if err != nil {
		return ok("disk", "unknown: "+err.Error())
	}
	f := ok("disk", size(bytes)+" free at "+path)
	const fix = "remove what no container uses: docker system prune"
	switch {
	case bytes < minDisk:
		f.Level, f.Why, f.Mend = Blocking, "images and etcd need at least 2 GB, and a full disk breaks running clusters", fix
	case bytes < enoughDisk:
		f.Level, f.Why, f.Mend = Warning, "the kubelet evicts pods when the disk is nearly full", fix
	}
	return f
}

// clock compares the clocks of the machine and of the engine. They differ if the engine is in a
// virtual machine.
func (m Machine) clock(i info) []Finding {
	engineTime, err := time.Parse(time.RFC3339Nano, i.SystemTime)
	if err != nil {
		return nil
	}
	skew := m.Now().Sub(engineTime).Round(time.Second).Abs()
	f := ok("clock of the engine", fmt.Sprintf("%s from the clock of this machine", skew))
	if skew > maxSkew {
		f.Level, f.Why, f.Mend = Warning, "certificates are not valid yet, or no longer", "restart the engine: it then sets its clock"
	}
	return []Finding{f}
}

func size(bytes uint64) string { return event.Size(int64(min(bytes, math.MaxInt64))) }

// lastLine returns the last line of the stderr of a program, or else of the error.
func lastLine(err error) string {
	text := err.Error()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && len(exit.Stderr) > 0 {
		text = string(exit.Stderr)
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
