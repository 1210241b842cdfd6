package doctor

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const linux = "linux"

// cgroups looks at what holds containers to their limits.
func (m Machine) cgroups(context.Context) []Finding {
	if m.OS != linux {
		return nil // the engine is in a virtual machine, which brings its own
	}
	var has []string
	f := ok("cgroups", "version 2")
	if unified := m.read("sys/fs/cgroup/cgroup.controllers"); unified != "" {
		has = strings.Fields(unified)
	} else if has = enabled(m.read("proc/cgroups")); len(has) > 0 {
		f = Finding{"cgroups", Warning, "version 1", "the kubelet of Kubernetes 1.35 and later refuses version 1 unless it is told not to",
			"boot with systemd.unified_cgroup_hierarchy=1, or use an older Kubernetes"}
	} else {
		return []Finding{{"cgroups", Warning, "not to be seen", "containers cannot be held to limits", "mount them: mount -t cgroup2 none /sys/fs/cgroup"}}
	}
	for _, c := range []string{"cpu", "cpuset", "memory", "pids"} {
		if !slices.Contains(has, c) {
			f.Level, f.Found = Warning, f.Found+", without "+c
			f.Why, f.Mend = "nodes do not start without the controller "+c, "boot with cgroup_enable="+c+", or delegate it to your user (rootless)"
		}
	}
	return []Finding{f}
}

// enabled returns the controllers of version 1 that are: name, hierarchy, count, enabled.
func enabled(table string) []string {
	var names []string
	for line := range strings.Lines(table) {
		if fields := strings.Fields(line); len(fields) == 4 && fields[3] == "1" {
			names = append(names, fields[0])
		}
	}
	return names
}

// kernel looks at what nodes need of it.
func (m Machine) kernel(context.Context) []Finding {
	if m.OS != linux {
		return nil
	}
	f := ok("kernel", strings.TrimSpace(m.read("proc/sys/kernel/osrelease")))
	if !strings.Contains(m.read("proc/filesystems"), "overlay") {
		f.Level, f.Why, f.Mend = Warning, "containers' file systems are overlays, and it has none", "sudo modprobe overlay"
	}
	if strings.TrimSpace(m.read("proc/sys/net/ipv4/ip_forward")) == "0" {
		f.Level, f.Why, f.Mend = Warning, "without forwarding, pods reach nothing outside their node", "sudo sysctl net.ipv4.ip_forward=1"
	}
	return []Finding{f}
}

// inotify looks at limits that several nodes on one kernel share, and exhaust.
func (m Machine) inotify(context.Context) []Finding {
	if m.OS != linux {
		return nil
	}
	var found []Finding
	for _, limit := range []struct {
		name   string
		enough int
	}{{"max_user_watches", 524288}, {"max_user_instances", 512}} {
		text := strings.TrimSpace(m.read("proc/sys/fs/inotify/" + limit.name))
		n, err := strconv.Atoi(text)
		if err != nil {
			continue
		}
		f := ok("inotify "+limit.name, text)
		if n < limit.enough {
			f.Level, f.Why = Warning, "pods fail with \"too many open files\" as soon as there are a few nodes"
			f.Mend = fmt.Sprintf("sudo sysctl fs.inotify.%s=%d", limit.name, limit.enough)
		}
		found = append(found, f)
	}
	return found
}
