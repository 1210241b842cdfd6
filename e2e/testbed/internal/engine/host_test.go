//go:build linux

package engine

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRaiseLimits(t *testing.T) {
	dir := t.TempDir()
	instances, watches := filepath.Join(dir, "max_user_instances"), filepath.Join(dir, "max_user_watches")
	for path, limit := range map[string]string{instances: "128\n", watches: "1048576\n"} {
		if err := os.WriteFile(path, []byte(limit), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := raiseLimits(dir, io.Discard); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{instances: "512", watches: "1048576\n"} {
		if got, err := os.ReadFile(path); string(got) != want || err != nil {
			t.Errorf("%s is %q, %v, want %q", path, got, err, want)
		}
	}
}

func TestUnmounted(t *testing.T) {
	t.Parallel()
	const table = "#subsys_name\thierarchy\tnum_cgroups\tenabled\n" +
		"cpu\t3\t1\t1\ncpuacct\t3\t1\t1\nhugetlb\t0\t1\t1\nnet_cls\t0\t1\t1\nrdma\t0\t1\t0\n"
	const mounts = "cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,relatime,cpu,cpuacct 0 0\n" +
		"cgroup /somewhere/else cgroup rw,net_cls 0 0\ntmpfs /sys/fs/cgroup tmpfs rw 0 0\n"
	if diff := cmp.Diff([]string{"hugetlb", "net_cls"}, unmounted(table, mounts)); diff != "" {
		t.Errorf("unmounted (-want +got):\n%s", diff)
	}
}

func TestBounded(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]bool{
		"CapEff:\t0\nCapBnd:\t000001ffffffffff\n": true,
		"CapBnd:\t000001fffeffffff\n":             false,
		"Name:\tinit\n":                           true,
	} {
		if got := bounded(status, 24); got != want {
			t.Errorf("bounded(%q, 24) = %v, want %v", status, got, want)
		}
	}
}
