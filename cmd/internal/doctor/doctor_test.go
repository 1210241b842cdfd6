package doctor_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/doctor"
)

const healthyDocker = `{"ServerVersion":"27.1.0","MemTotal":8589934592,"NCPU":4,"DockerRootDir":"/var/lib/docker","SystemTime":"2026-11-24T12:00:00Z"}`

// healthy is a machine with which all is well.
type healthy struct {
	files   map[string]string // below its root
	env     map[string]string
	said    map[string]string // by the program that says it; one that is not here is not installed
	taken   map[string]bool   // addresses on which somebody listens
	free    uint64
	os      string
	failing map[string]error
}

func newHealthy() healthy {
	return healthy{
		files: map[string]string{
			"sys/fs/cgroup/cgroup.controllers":       "cpuset cpu io memory pids\n",
			"proc/filesystems":                       "nodev\toverlay\n",
			"proc/sys/kernel/osrelease":              "6.1.0\n",
			"proc/sys/net/ipv4/ip_forward":           "1\n",
			"proc/sys/fs/inotify/max_user_watches":   "1048576\n",
			"proc/sys/fs/inotify/max_user_instances": "8192\n",
			"proc/net/tcp":                           "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n",
			"proc/4711/comm":                         "nginx\n",
		},
		env:  map[string]string{},
		said: map[string]string{"docker": healthyDocker},
		free: 100 << 30,
		os:   "linux", taken: map[string]bool{}, failing: map[string]error{},
	}
}

func (h healthy) machine(t *testing.T) doctor.Machine {
	t.Helper()
	root := t.TempDir()
	for name, text := range h.files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return doctor.Machine{
		OS: h.os, Root: root, Disk: "/state", Bin: "/lab/bin",
		Getenv: func(name string) string { return h.env[name] },
		LookPath: func(name string) (string, error) {
			if _, ok := h.said[name]; !ok {
				return "", &exec.Error{Name: name, Err: exec.ErrNotFound}
			}
			return name, nil
		},
		Run: func(_ context.Context, name string, args ...string) ([]byte, error) {
			if name == "docker" && args[0] == "ps" {
				return []byte(h.said["docker ps"]), nil
			}
			return []byte(h.said[name]), h.failing[name]
		},
		Answers: func(_ context.Context, address string) bool { return h.taken[address] },
		Free:    func(string) (uint64, error) { return h.free, nil },
		Now:     func() time.Time { return time.Date(2026, 11, 24, 12, 0, 10, 0, time.UTC) },
	}
}

func TestHealthy(t *testing.T) {
	t.Parallel()
	all := newHealthy().machine(t).Examine(t.Context())
	if len(all) < 15 {
		t.Errorf("%d findings only", len(all))
	}
	for _, f := range all {
		if f.Level != doctor.OK || f.Why != "" || f.Mend != "" || f.Found == "" {
			t.Errorf("%+v", f)
		}
	}
}

// TestTools: what people use is looked for on PATH first, then where lab puts it.
func TestTools(t *testing.T) {
	t.Parallel()
	h := newHealthy()
	inBin := func(name string) string { return filepath.Join("/lab/bin", name) }
	h.said["kubectl"], h.said[inBin("kubectl")] = "Client Version: v1.37.2", "Client Version: v1.36.0"
	h.said[inBin("k9s")] = "Version v0.51.0"
	found := map[string]string{}
	for _, f := range h.machine(t).Examine(t.Context()) {
		found[f.Check] = f.Found
	}
	for name, want := range map[string]string{
		"kubectl": "v1.37.2 at kubectl", "k9s": "v0.51.0 at " + inBin("k9s") + ", which is not on PATH", "helm": "not installed; lab does without",
	} {
		if found[name] != want {
			t.Errorf("%s: %q, want %q", name, found[name], want)
		}
	}
}

// TestFindings: each thing that can be wrong is found, alone, and comes with what mends it.
func TestFindings(t *testing.T) {
	t.Parallel()
	for what, tt := range map[string]struct {
		spoil func(h *healthy)
		check string
		level doctor.Level
		words string // in what was found and what mends it
	}{
		"no engine":          {func(h *healthy) { delete(h.said, "docker") }, "container engine", doctor.Warning, "--flavor kwok"},
		"the engine is down": {func(h *healthy) { h.said["docker"] = `{"ServerVersion":""}` }, "container engine", doctor.Warning, "systemctl start docker"},
		"no rights": {func(h *healthy) {
			h.failing["docker"] = &exec.ExitError{Stderr: []byte("dial unix /var/run/docker.sock: connect: permission denied\n")}
		}, "container engine", doctor.Warning, "usermod -aG docker"},
		"an old engine":     {func(h *healthy) { h.docker("27.1.0", "18.09.1") }, "container engine", doctor.Warning, "upgrade"},
		"little memory":     {func(h *healthy) { h.docker("8589934592", "2147483648") }, "memory of the engine", doctor.Warning, "2.0 GiB"},
		"too little memory": {func(h *healthy) { h.docker("8589934592", "1073741824") }, "memory of the engine", doctor.Blocking, "Resources"},
		"one CPU":           {func(h *healthy) { h.docker(`"NCPU":4`, `"NCPU":1`) }, "CPUs of the engine", doctor.Warning, "1"},
		"another time":      {func(h *healthy) { h.docker("12:00:00Z", "11:00:00Z") }, "clock of the engine", doctor.Warning, "1h0m10s"},
		"little disk":       {func(h *healthy) { h.free = 5 << 30 }, "disk", doctor.Warning, "/var/lib/docker"},
		"a full disk":       {func(h *healthy) { h.free = 1 << 30 }, "disk", doctor.Blocking, "docker system prune"},
		"cgroup v1": {func(h *healthy) {
			delete(h.files, "sys/fs/cgroup/cgroup.controllers")
			h.files["proc/cgroups"] = "#name\tx\ty\tenabled\ncpu\t1\t1\t1\ncpuset\t1\t1\t1\nmemory\t1\t1\t1\npids\t1\t1\t1\n"
		}, "cgroups", doctor.Warning, "unified_cgroup_hierarchy"},
		"no controller": {func(h *healthy) { h.files["sys/fs/cgroup/cgroup.controllers"] = "cpu cpuset pids" }, "cgroups", doctor.Warning, "without memory"},
		"no cgroups":    {func(h *healthy) { delete(h.files, "sys/fs/cgroup/cgroup.controllers") }, "cgroups", doctor.Warning, "mount"},
		"no overlay":    {func(h *healthy) { h.files["proc/filesystems"] = "ext4\n" }, "kernel", doctor.Warning, "modprobe overlay"},
		"no forwarding": {func(h *healthy) { h.files["proc/sys/net/ipv4/ip_forward"] = "0\n" }, "kernel", doctor.Warning, "sysctl net.ipv4.ip_forward=1"},
		"few watches": {func(h *healthy) { h.files["proc/sys/fs/inotify/max_user_watches"] = "8192\n" },
			"inotify max_user_watches", doctor.Warning, "sysctl fs.inotify.max_user_watches=524288"},
		"few instances": {func(h *healthy) { h.files["proc/sys/fs/inotify/max_user_instances"] = "128\n" },
			"inotify max_user_instances", doctor.Warning, "sysctl fs.inotify.max_user_instances=512"},
		"a container on port 80": {func(h *healthy) { h.taken["127.0.0.1:80"] = true; h.said["docker ps"] = "web\n" }, "port 80", doctor.Warning, "taken by the container web"},
		"somebody on port 443":   {func(h *healthy) { h.taken["127.0.0.1:443"] = true }, "port 443", doctor.Warning, "taken"},
		"somebody, on a mac": {func(h *healthy) {
			h.taken["127.0.0.1:80"], h.os, h.said["lsof"] = true, "darwin", "p4711\ncnginx\n"
		}, "port 80", doctor.Warning, "taken by nginx (process 4711)"},
		"a proxy": {func(h *healthy) { h.env["HTTPS_PROXY"] = "http://me:secret@proxy.corp:3128" }, "proxy", doctor.Warning, "http://proxy.corp:3128"},
		"a proxy of docker's": {func(h *healthy) {
			h.env["DOCKER_CONFIG"] = "/docker"
			h.files["docker/config.json"] = `{"proxies":{"default":{"httpsProxy":"http://me:secret@proxy.corp:3128"}}}`
		}, "proxy", doctor.Warning, "http://proxy.corp:3128 in every container, by proxies.default in /docker/config.json"},
		"no CA":             {func(h *healthy) { h.env["SSL_CERT_FILE"] = "/nowhere/ca.pem" }, "certificate authorities", doctor.Warning, "unset SSL_CERT_FILE"},
		"a foreign kubectl": {func(h *healthy) { h.said["kubectl"] = "hello" }, "kubectl", doctor.Warning, "see what"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			h := newHealthy()
			tt.spoil(&h)
			for _, f := range h.machine(t).Examine(t.Context()) {
				said := fmt.Sprint(f)
				switch {
				case f.Check == tt.check && (f.Level != tt.level || !strings.Contains(said, tt.words) || f.Why == "" || f.Mend == ""):
					t.Errorf("%+v, want %s with %q", f, tt.level, tt.words)
				case f.Check != tt.check && f.Level != doctor.OK:
					t.Errorf("%+v is not what is wrong", f)
				}
				if strings.Contains(said, "secret") {
					t.Errorf("%+v tells a password", f)
				}
			}
		})
	}
}

// docker replaces something of what docker says.
func (h *healthy) docker(before, after string) {
	h.said["docker"] = strings.Replace(healthyDocker, before, after, 1)
}

// TestHolder finds the process that listens, by the kernel's tables.
func TestHolder(t *testing.T) {
	t.Parallel()
	h := newHealthy()
	h.taken["127.0.0.1:80"] = true
	h.files["proc/net/tcp"] += "   0: 0100007F:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12345 1 0\n"
	m := h.machine(t)
	dir := filepath.Join(m.Root, "proc", "4711", "fd")
	if err := errors.Join(os.MkdirAll(dir, 0o700), os.Symlink("socket:[12345]", filepath.Join(dir, "3"))); err != nil {
		t.Fatal(err)
	}
	for _, f := range m.Examine(t.Context()) {
		if f.Check == "port 80" && f.Found != "taken by nginx (process 4711)" {
			t.Errorf("%+v", f)
		}
	}
}

// TestPodman: where docker is not there, podman is as good.
func TestPodman(t *testing.T) {
	t.Parallel()
	h := newHealthy()
	delete(h.said, "docker")
	h.said["podman"] = `{"host":{"memTotal":8589934592,"cpus":4},"version":{"Version":"5.0.1"},"store":{"graphRoot":"/var/lib/containers"}}`
	all := h.machine(t).Examine(t.Context())
	if f := all[0]; f.Level != doctor.OK || f.Found != "podman 5.0.1" {
		t.Errorf("%+v", f)
	}
}

// TestThis: whatever this machine is like, looking at it ends, and finds something.
func TestThis(t *testing.T) {
	t.Parallel()
	for _, f := range doctor.This(filepath.Join(t.TempDir(), "not", "there"), t.TempDir()).Examine(t.Context()) {
		if f.Check == "" || f.Found == "" || (f.Level != doctor.OK) != (f.Why != "") || (f.Why != "") != (f.Mend != "") {
			t.Errorf("%+v", f)
		}
	}
}
