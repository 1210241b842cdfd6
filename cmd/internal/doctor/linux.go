package doctor

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const linux = "linux"

// cgroups checks the version of the cgroups, and that the controllers that nodes need are enabled.
func (m Machine) cgroups(context.Context) []Finding {
	if m.OS != linux {
		return nil // the engine is in a virtual machine, which has its own kernel
	}
	f := ok("cgroups", "version 2")
	controllers := strings.Fields(m.read("sys/fs/cgroup/cgroup.controllers"))
	if len(controllers) == 0 {
		controllers = enabledV1(m.read("proc/cgroups"))
		f = Finding{"cgroups", Warning, "version 1", "the kubelet of Kubernetes 1.35 and later rejects version 1 by default",
			"boot with systemd.unified_cgroup_hierarchy=1, or use an older Kubernetes"}
	}
	if len(controllers) == 0 {
		return []Finding{{"cgroups", Warning, "not mounted", "containers cannot be limited", "mount them: mount -t cgroup2 none /sys/fs/cgroup"}}
	}
	for _, c := range []string{"cpu", "cpuset", "memory", "pids"} {
		if !slices.Contains(controllers, c) {
			f.Level, f.Found = Warning, f.Found+", without "+c
			f.Why, f.Mend = "nodes do not start without the controller "+c, "boot with cgroup_enable="+c+", or delegate it to your user (rootless)"
		}
	}
	return []Finding{f}
}

// enabledV1 returns the enabled controllers of cgroups version 1. Each line of table is: name,
// hierarchy, number of cgroups, enabled.
func enabledV1(table string) []string {
	var names []string
	for line := range strings.Lines(table) {
		if fields := strings.Fields(line); len(fields) == 4 && fields[3] == "1" {
			names = append(names, fields[0])
		}
	}
	return names
}

// kernel checks the kernel settings that nodes need.
func (m Machine) kernel(context.Context) []Finding {
	if m.OS != linux {
		return nil
	}
	f := ok("kernel", strings.TrimSpace(m.read("proc/sys/kernel/osrelease")))
	if !strings.Contains(m.read("proc/filesystems"), "overlay") {
		f.Level, f.Why, f.Mend = Warning, "containers need the overlay file system", "sudo modprobe overlay"
	}
	if strings.TrimSpace(m.read("proc/sys/net/ipv4/ip_forward")) == "0" {
		f.Level, f.Why, f.Mend = Warning, "without IP forwarding, pods cannot reach anything outside their node", "sudo sysctl net.ipv4.ip_forward=1"
	}
	return []Finding{f}
}

// inotify checks the inotify limits, which all nodes on one kernel share.
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
			f.Level, f.Why = Warning, "with a few nodes, pods fail with \"too many open files\""
			f.Mend = fmt.Sprintf("sudo sysctl fs.inotify.%s=%d", limit.name, limit.enough)
		}
		found = append(found, f)
	}
	return found
}
