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

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/cmd/internal/doctor"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/providertest"
)

const healthyDocker = `{"ServerVersion":"27.1.0","MemTotal":8589934592,"NCPU":4,"DockerRootDir":"/var/lib/docker","SystemTime":"2026-11-24T12:00:00Z"}`

// fakeMachine describes a machine. Tests change a healthy one.
type fakeMachine struct {
	files  map[string]string // below its root
	env    map[string]string
	stdout map[string]string // what each installed program prints
	errs   map[string]error  // what each program fails with
	used   map[string]bool   // addresses on which a program listens
	free   uint64
	os     string
}

func healthy() fakeMachine {
	return fakeMachine{
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
		env:    map[string]string{},
		stdout: map[string]string{"docker": healthyDocker},
		free:   100 << 30,
		os:     "linux", used: map[string]bool{}, errs: map[string]error{},
	}
}

func (h fakeMachine) machine(t *testing.T) doctor.Machine {
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
		OS: h.os, Root: root, Disk: "/state", Bin: "/lab/bin", Flavors: fakeFlavors(t),
		Getenv: func(name string) string { return h.env[name] },
		LookPath: func(name string) (string, error) {
			if _, ok := h.stdout[name]; !ok {
				return "", &exec.Error{Name: name, Err: exec.ErrNotFound}
			}
			return name, nil
		},
		Run: func(_ context.Context, name string, args ...string) ([]byte, error) {
			if name == "docker" && args[0] == "ps" {
				return []byte(h.stdout["docker ps"]), nil
			}
			return []byte(h.stdout[name]), h.errs[name]
		},
		Answers: func(_ context.Context, address string) bool { return h.used[address] },
		Free:    func(string) (uint64, error) { return h.free, nil },
		Now:     func() time.Time { return time.Date(2026, 11, 24, 12, 0, 10, 0, time.UTC) },
	}
}

// fakeFlavors returns a flavor on a container engine, with a tool, and one without either.
func fakeFlavors(t *testing.T) []providers.Provider {
	boxed := providertest.NewFake(providertest.Machine(t.TempDir()), providertest.FakeOptions{
		Name: "boxed", Description: providers.Description{Tools: []providers.Tool{{Name: "boxer", VersionArgs: []string{"version"}}}},
	})
	plain := providertest.NewFake(providertest.Machine(t.TempDir()), providertest.FakeOptions{Name: "plain"})
	return []providers.Provider{boxed, struct{ providers.Provider }{plain}} // the second has no optional ability
}

func TestHealthyMachineIsOK(t *testing.T) {
	t.Parallel()
	var checks []string
	for _, f := range healthy().machine(t).Examine(t.Context()) {
		checks = append(checks, f.Check)
		if f.Level != doctor.OK || f.Why != "" || f.Mend != "" || f.Found == "" {
			t.Errorf("%+v", f)
		}
	}
	want := []string{
		"container engine", "memory of the engine", "CPUs of the engine", "disk", "clock of the engine", "cgroups", "kernel",
		"inotify max_user_watches", "inotify max_user_instances", "port 80", "port 443", "proxy", "kubectl", "helm", "boxer", "k9s",
	}
	if diff := cmp.Diff(want, checks); diff != "" {
		t.Errorf("checks (-want +got):\n%s", diff)
	}
}

// TestToolsAreFoundOnPathFirst covers the tools of flavors, too.
func TestToolsAreFoundOnPathFirst(t *testing.T) {
	t.Parallel()
	h := healthy()
	inBin := func(name string) string { return filepath.Join("/lab/bin", name) }
	h.stdout["kubectl"], h.stdout[inBin("kubectl")] = "Client Version: v1.37.2", "Client Version: v1.36.0"
	h.stdout[inBin("k9s")], h.stdout["boxer"] = "Version v0.51.0", "boxer version 2.0.1"
	found := map[string]string{}
	for _, f := range h.machine(t).Examine(t.Context()) {
		found[f.Check] = f.Found
	}
	for name, want := range map[string]string{
		"kubectl": "v1.37.2 at kubectl", "k9s": "v0.51.0 at " + inBin("k9s") + ", which is not on PATH", "helm": "not installed",
		"boxer": "2.0.1 at boxer",
	} {
		if found[name] != want {
			t.Errorf("%s: %q, want %q", name, found[name], want)
		}
	}
}

// TestFindings breaks one thing at a time. Only the check of that thing may find it, exactly once,
// with a reason and a fix.
func TestFindings(t *testing.T) {
	t.Parallel()
	for what, tt := range map[string]struct {
		spoil func(h *fakeMachine)
		check string
		level doctor.Level
		words string // part of the finding
	}{
		"no engine":      {func(h *fakeMachine) { delete(h.stdout, "docker") }, "container engine", doctor.Warning, "--flavor plain"},
		"stopped engine": {func(h *fakeMachine) { h.stdout["docker"] = `{"ServerVersion":""}` }, "container engine", doctor.Warning, "systemctl start docker"},
		"no permission": {func(h *fakeMachine) {
			h.errs["docker"] = &exec.ExitError{Stderr: []byte("dial unix /var/run/docker.sock: connect: permission denied\n")}
		}, "container engine", doctor.Warning, "usermod -aG docker"},
		"old engine":        {func(h *fakeMachine) { h.docker("27.1.0", "18.09.1") }, "container engine", doctor.Warning, "upgrade"},
		"little memory":     {func(h *fakeMachine) { h.docker("8589934592", "2147483648") }, "memory of the engine", doctor.Warning, "2.1 GB"},
		"too little memory": {func(h *fakeMachine) { h.docker("8589934592", "1073741824") }, "memory of the engine", doctor.Blocking, "Resources"},
		"one CPU":           {func(h *fakeMachine) { h.docker(`"NCPU":4`, `"NCPU":1`) }, "CPUs of the engine", doctor.Warning, "1"},
		"clock skew":        {func(h *fakeMachine) { h.docker("12:00:00Z", "11:00:00Z") }, "clock of the engine", doctor.Warning, "1h0m10s"},
		"little disk":       {func(h *fakeMachine) { h.free = 5 << 30 }, "disk", doctor.Warning, "/var/lib/docker"},
		"full disk":         {func(h *fakeMachine) { h.free = 1 << 30 }, "disk", doctor.Blocking, "docker system prune"},
		"cgroup v1": {func(h *fakeMachine) {
			delete(h.files, "sys/fs/cgroup/cgroup.controllers")
			h.files["proc/cgroups"] = "#name\tx\ty\tenabled\ncpu\t1\t1\t1\ncpuset\t1\t1\t1\nmemory\t1\t1\t1\npids\t1\t1\t1\n"
		}, "cgroups", doctor.Warning, "unified_cgroup_hierarchy"},
		"no controller": {func(h *fakeMachine) { h.files["sys/fs/cgroup/cgroup.controllers"] = "cpu cpuset pids" }, "cgroups", doctor.Warning, "without memory"},
		"no cgroups":    {func(h *fakeMachine) { delete(h.files, "sys/fs/cgroup/cgroup.controllers") }, "cgroups", doctor.Warning, "mount"},
		"no overlay":    {func(h *fakeMachine) { h.files["proc/filesystems"] = "ext4\n" }, "kernel", doctor.Warning, "modprobe overlay"},
		"no forwarding": {func(h *fakeMachine) { h.files["proc/sys/net/ipv4/ip_forward"] = "0\n" }, "kernel", doctor.Warning, "sysctl net.ipv4.ip_forward=1"},
		"few watches": {func(h *fakeMachine) { h.files["proc/sys/fs/inotify/max_user_watches"] = "8192\n" },
			"inotify max_user_watches", doctor.Warning, "sysctl fs.inotify.max_user_watches=524288"},
		"few instances": {func(h *fakeMachine) { h.files["proc/sys/fs/inotify/max_user_instances"] = "128\n" },
			"inotify max_user_instances", doctor.Warning, "sysctl fs.inotify.max_user_instances=512"},
		"a container on port 80": {func(h *fakeMachine) { h.used["127.0.0.1:80"] = true; h.stdout["docker ps"] = "web\n" }, "port 80", doctor.Warning, "in use by the container web"},
		"a process on port 443":  {func(h *fakeMachine) { h.used["127.0.0.1:443"] = true }, "port 443", doctor.Warning, "in use"},
		"a process on port 80 of macOS": {func(h *fakeMachine) {
			h.used["127.0.0.1:80"], h.os, h.stdout["lsof"] = true, "darwin", "p4711\ncnginx\n"
		}, "port 80", doctor.Warning, "in use by nginx (process 4711)"},
		"a proxy": {func(h *fakeMachine) { h.env["HTTPS_PROXY"] = "http://me:secret@proxy.corp:3128" }, "proxy", doctor.Warning, "http://proxy.corp:3128"},
		"a proxy in docker's configuration": {func(h *fakeMachine) {
			h.env["DOCKER_CONFIG"] = "/docker"
			h.files["docker/config.json"] = `{"proxies":{"default":{"httpsProxy":"http://me:secret@proxy.corp:3128"}}}`
		}, "proxy", doctor.Warning, "http://proxy.corp:3128 in every container, by proxies.default in /docker/config.json"},
		"no CA":                          {func(h *fakeMachine) { h.env["SSL_CERT_FILE"] = "/nowhere/ca.pem" }, "certificate authorities", doctor.Warning, "unset SSL_CERT_FILE"},
		"another program called kubectl": {func(h *fakeMachine) { h.stdout["kubectl"] = "hello" }, "kubectl", doctor.Warning, "prints no version"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			h := healthy()
			tt.spoil(&h)
			found := 0
			for _, f := range h.machine(t).Examine(t.Context()) {
				text := fmt.Sprint(f)
				switch {
				case f.Level == doctor.OK:
				case f.Check != tt.check:
					t.Errorf("%+v is not what is wrong", f)
				case f.Level != tt.level || !strings.Contains(text, tt.words) || f.Why == "" || f.Mend == "":
					t.Errorf("%+v, want %s with %q", f, tt.level, tt.words)
				default:
					found++
				}
				if strings.Contains(text, "secret") {
					t.Errorf("%+v contains a password", f)
				}
			}
			if found != 1 {
				t.Errorf("%d findings of %s, want 1", found, tt.check)
			}
		})
	}
}

// docker changes the output of docker info.
func (h *fakeMachine) docker(before, after string) {
	h.stdout["docker"] = strings.Replace(healthyDocker, before, after, 1)
}

func TestPortFindingNamesProcess(t *testing.T) {
	t.Parallel()
	h := healthy()
	h.used["127.0.0.1:80"] = true
	h.files["proc/net/tcp"] += "   0: 0100007F:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12345 1 0\n"
	m := h.machine(t)
	dir := filepath.Join(m.Root, "proc", "4711", "fd")
	if err := errors.Join(os.MkdirAll(dir, 0o700), os.Symlink("socket:[12345]", filepath.Join(dir, "3"))); err != nil {
		t.Fatal(err)
	}
	for _, f := range m.Examine(t.Context()) {
		if f.Check == "port 80" && f.Found != "in use by nginx (process 4711)" {
			t.Errorf("%+v", f)
		}
	}
}

func TestPodmanIsFoundWithoutDocker(t *testing.T) {
	t.Parallel()
	h := healthy()
	delete(h.stdout, "docker")
	h.stdout["podman"] = `{"host":{"memTotal":8589934592,"cpus":4},"version":{"Version":"5.0.1"},"store":{"graphRoot":"/var/lib/containers"}}`
	all := h.machine(t).Examine(t.Context())
	if f := all[0]; f.Level != doctor.OK || f.Found != "podman 5.0.1" {
		t.Errorf("%+v", f)
	}
}

// TestThisMachine checks the form of the findings on the machine of the test, whatever they are.
func TestThisMachine(t *testing.T) {
	t.Parallel()
	for _, f := range doctor.This(filepath.Join(t.TempDir(), "not", "there"), t.TempDir()).Examine(t.Context()) {
		if f.Check == "" || f.Found == "" || (f.Level != doctor.OK) != (f.Why != "") || (f.Why != "") != (f.Mend != "") {
			t.Errorf("%+v", f)
		}
	}
}
