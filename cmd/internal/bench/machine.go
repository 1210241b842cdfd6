package bench

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// ticks is the number of ticks a second in which Linux counts the time of processors, on every
// architecture that Go supports.
const ticks = 100

// Proc reads the counters of a machine from a directory in the form of Linux's /proc. Where
// there is none, every counter is nil.
type Proc string

// Machine implements [Meter].
func (p Proc) Machine() Machine {
	m := Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU()}
	m.Model = p.field("cpuinfo", "model name")
	m.Kernel = strings.TrimSpace(string(p.file("sys/kernel/osrelease")))
	m.MemoryBytes = p.memory("MemTotal")
	return m
}

// Read implements [Meter].
func (p Proc) Read() Counters {
	c := Counters{Available: p.memory("MemAvailable"), Received: p.received()}
	first, _, _ := strings.Cut(string(p.file("stat")), "\n")
	// cpu user nice system idle iowait irq softirq steal; the rest is part of user and nice.
	fields := strings.Fields(first)
	if len(fields) < 9 || fields[0] != "cpu" {
		return c
	}
	var total, idle float64
	for i, text := range fields[1:9] {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return c
		}
		total += n / ticks
		if i == 3 || i == 4 {
			idle += n / ticks
		}
	}
	busy := total - idle
	c.Busy, c.Total = &busy, &total
	return c
}

// file returns the content of a file, or nothing.
func (p Proc) file(name string) []byte {
	text, _ := os.ReadFile(filepath.Join(string(p), name))
	return text
}

// field returns the first value of a key in a file of lines "key : value", or "".
func (p Proc) field(file, key string) string {
	for lines := bufio.NewScanner(bytes.NewReader(p.file(file))); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ":")
		if strings.TrimSpace(name) == key {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// memory returns a value of meminfo in bytes, or nil.
func (p Proc) memory(key string) *float64 {
	n, err := strconv.ParseFloat(strings.TrimSuffix(p.field("meminfo", key), " kB"), 64)
	if err != nil {
		return nil
	}
	n *= 1 << 10
	return &n
}

// received returns how many bytes the interfaces with a default route have received, or nil.
func (p Proc) received() *float64 {
	var sum *float64
	counted := map[string]bool{}
	for lines := bufio.NewScanner(bytes.NewReader(p.file("net/route"))); lines.Scan(); {
		fields := strings.Fields(lines.Text()) // interface, destination, ...
		if len(fields) < 2 || fields[1] != "00000000" || counted[fields[0]] {
			continue
		}
		counted[fields[0]] = true
		count := strings.Fields(p.field("net/dev", fields[0]))
		if len(count) == 0 {
			continue
		}
		n, err := strconv.ParseFloat(count[0], 64)
		if err != nil {
			continue
		}
		if sum == nil {
			sum = new(float64)
		}
		*sum += n
	}
	return sum
}
