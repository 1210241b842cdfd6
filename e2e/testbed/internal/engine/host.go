//go:build linux

package engine

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/clusterlab-dev/lab/e2e/testbed/internal/shell"
	"github.com/clusterlab-dev/lab/providers/fault"
)

const (
	cgroups = "/sys/fs/cgroup"
	inotify = "/proc/sys/fs/inotify"
)

// Install installs the Debian packages of the programs that are not on PATH.
func Install(ctx context.Context, log io.Writer, packageOf map[string]string) error {
	var missing []string
	for program, pkg := range packageOf {
		if _, err := exec.LookPath(program); err != nil {
			missing = append(missing, pkg)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if os.Geteuid() != 0 {
		return fault.WithHint(fmt.Errorf("%w: %s missing, and only root can install them", fault.ErrUnavailable,
			strings.Join(missing, ", ")), "sudo apt-get install %s", strings.Join(missing, " "))
	}
	apt := shell.Cmd{Log: log, Env: []string{"DEBIAN_FRONTEND=noninteractive"}}
	if err := apt.Run(ctx, "apt-get", "update", "-q"); err != nil {
		return err
	}
	return apt.Run(ctx, "apt-get", append([]string{"install", "-q", "-y", "--no-install-recommends"}, missing...)...)
}

// mountControllers mounts the cgroup v1 controllers of the host that are not mounted. Otherwise systemd in the first
// node would mount them for the whole kernel, and the kubelets of later nodes would not find the expected paths.
func mountControllers(log io.Writer) error {
	if _, err := os.Stat(filepath.Join(cgroups, "cgroup.controllers")); err == nil {
		return nil // cgroup v2
	}
	table, err := os.ReadFile("/proc/cgroups")
	if err != nil {
		return err
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return err
	}
	for _, name := range unmounted(string(table), string(mounts)) {
		dir := filepath.Join(cgroups, name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		fmt.Fprintln(log, "+ mount -t cgroup -o", name, dir)
		if err := syscall.Mount("cgroup", dir, "cgroup", 0, name); err != nil {
			return fmt.Errorf("mounting cgroup controller %s: %w", name, err)
		}
	}
	return nil
}

// raiseLimits raises the limits of inotify to those that kind recommends, if they are lower. The nodes of all flavors
// share them, and about 140 instances are open when the tests of three flavors run at a time.
func raiseLimits(dir string, log io.Writer) error {
	for name, least := range map[string]int{"max_user_instances": 512, "max_user_watches": 524288} {
		path := filepath.Join(dir, name)
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		limit, err := strconv.Atoi(strings.TrimSpace(string(data)))
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if limit >= least {
			continue
		}
		fmt.Fprintf(log, "+ sysctl fs.inotify.%s=%d\n", name, least)
		if err := os.WriteFile(path, []byte(strconv.Itoa(least)), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// unmounted returns the enabled controllers of a /proc/cgroups table that no line of a mount table contains.
func unmounted(table, mounts string) []string {
	mounted := map[string]bool{}
	for line := range strings.Lines(mounts) {
		if f := strings.Fields(line); len(f) > 3 && f[2] == "cgroup" && strings.HasPrefix(f[1], cgroups+"/") {
			for option := range strings.SplitSeq(f[3], ",") {
				mounted[option] = true
			}
		}
	}
	var names []string
	for line := range strings.Lines(table) {
		if f := strings.Fields(line); len(f) == 4 && f[3] == "1" && !mounted[f[0]] {
			names = append(names, f[0])
		}
	}
	return names
}

// lacksSysResource reports whether even root cannot have CAP_SYS_RESOURCE here, as in some virtual machines.
func lacksSysResource() (bool, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return false, err
	}
	return !bounded(string(status), 24), nil
}

// bounded reports whether the bounding set of a /proc/PID/status contains capability number bit.
func bounded(status string, bit uint) bool {
	for line := range strings.Lines(status) {
		if hex, ok := strings.CutPrefix(line, "CapBnd:"); ok {
			set, err := strconv.ParseUint(strings.TrimSpace(hex), 16, 64)
			return err == nil && set&(1<<bit) != 0
		}
	}
	return true // an unknown kernel: runc reports the error
}
