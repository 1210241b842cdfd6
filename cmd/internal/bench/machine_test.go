package bench

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// proc writes files in the form of /proc.
func proc(t *testing.T, files map[string]string) Proc {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Proc(dir)
}

// TestProc checks what is read of Linux's /proc, and that everything else is unknown.
func TestProc(t *testing.T) {
	t.Parallel()
	const route = "Iface\tDestination\tGateway\neth0\t00000000\t010200C0\neth0\t000200C0\t00000000\ndocker0\t000011AC\t00000000\n"
	p := proc(t, map[string]string{
		"stat":      "cpu  100 10 50 1000 40 0 5 35 7 7\ncpu0 1 1 1 1 1 1 1 1 1 1\n",
		"meminfo":   "MemTotal:       2000 kB\nMemFree: 1 kB\nMemAvailable:   1000 kB\n",
		"net/dev":   "Inter-| Receive\n face |bytes\n    lo: 9999 1 2\n  eth0: 5000 7 0\ndocker0: 8888 1 1\n",
		"net/route": route, "cpuinfo": "processor : 0\nmodel name\t: Some CPU\nmodel name\t: Other\n", "sys/kernel/osrelease": "6.18.0\n",
	})
	want := Counters{Busy: number(2), Total: number(12.4), Available: number(1000 << 10), Received: number(5000)}
	if diff := cmp.Diff(want, p.Read(), cmp.Comparer(func(a, b float64) bool { return a-b < 1e-9 && b-a < 1e-9 })); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	m := p.Machine()
	if m.Model != "Some CPU" || m.Kernel != "6.18.0" || m.MemoryBytes == nil || *m.MemoryBytes != 2000<<10 {
		t.Errorf("%+v", m)
	}
	for what, p := range map[string]Proc{
		"nothing":           proc(t, nil),
		"no default route":  proc(t, map[string]string{"net/route": "eth0\t000200C0\t0\n", "net/dev": "eth0: 5 7\n"}),
		"an unknown format": proc(t, map[string]string{"stat": "cpu 1 2\n", "meminfo": "MemAvailable: many\n"}),
		"no counters":       proc(t, map[string]string{"net/route": route}),
	} {
		if diff := cmp.Diff(Counters{}, p.Read()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
}
