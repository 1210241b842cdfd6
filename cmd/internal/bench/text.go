package bench

import (
	"fmt"
	"math"
	"strings"

	"github.com/clusterlab-dev/lab/providers/event"
)

// GoBench returns the rounds in the format of Go benchmarks, which benchstat reads:
// benchstat -col /by FILE.
func (r Report) GoBench() string {
	var b strings.Builder
	fmt.Fprintf(&b, "goos: %s\ngoarch: %s\npkg: github.com/clusterlab-dev/lab\n", r.Machine.OS, r.Machine.Arch)
	if r.Machine.Model != "" {
		fmt.Fprintf(&b, "cpu: %s\n", r.Machine.Model)
	}
	for _, c := range r.Items {
		for _, s := range []Side{c.Lab, c.Peer} {
			for _, round := range s.Rounds {
				fmt.Fprintf(&b, "BenchmarkUp/flavor=%s/by=%s 1 %.0f ns/op%s%s%s\n", c.Flavor, strings.ReplaceAll(s.Name, " ", "-"),
					math.Round(round.Seconds*1e9), metric(round.CPUSeconds, "cpu-sec/op"),
					metric(round.PeakMemoryBytes, "peak-B"), metric(round.ReceivedBytes, "received-B/op"))
			}
		}
	}
	return b.String()
}

// metric returns a value of a line of a Go benchmark, or "" for a value that is not known.
func metric(value *float64, unit string) string {
	if value == nil {
		return ""
	}
	return fmt.Sprintf(" %.6g %s", *value, unit)
}

// Markdown returns the report as a page.
func (r Report) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Benchmarks\n\n`lab bench` wrote this page on %s with lab %s, on %s.\n\n", r.Time.Format("2006-01-02"), r.Lab, r.Machine)
	b.WriteString("Each value is the median of all rounds. The ratio is the time of lab divided by the time of its peer, with its 95 % interval.\n\n")
	b.WriteString("| flavor | nodes | lab | peer | ratio | CPU seconds | peak memory | received | rounds |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, c := range r.Items {
		fmt.Fprintf(&b, "| %s | %d | %.2f s | %s %.2f s | %s | %s, %s | %s, %s | %s, %s | %d |\n", c.Flavor, c.Nodes, c.Lab.Seconds, c.Peer.Name, c.Peer.Seconds,
			c.Ratio, Number(c.Lab.CPUSeconds), Number(c.Peer.CPUSeconds), Size(c.Lab.PeakMemoryBytes), Size(c.Peer.PeakMemoryBytes),
			Size(c.Lab.ReceivedBytes), Size(c.Peer.ReceivedBytes), len(c.Lab.Rounds))
	}
	for _, c := range r.Items {
		fmt.Fprintf(&b, "\n## %s\n\n", c.Flavor)
		if c.Peer.Version != "" {
			fmt.Fprintf(&b, "- peer: `%s`\n", c.Peer.Version)
		}
		for _, command := range c.Peer.Commands {
			fmt.Fprintf(&b, "- command: `%s`\n", command)
		}
		for _, doubt := range c.Doubts {
			fmt.Fprintf(&b, "- **not believable**: %s\n", doubt)
		}
		b.WriteString("\n| step | by | seconds |\n|---|---|---|\n")
		for _, s := range []Side{c.Lab, c.Peer} {
			for _, step := range s.Steps {
				fmt.Fprintf(&b, "| %s | %s | %.2f |\n", step.Name, s.Name, step.Seconds)
			}
		}
	}
	fmt.Fprintf(&b, "\n## Methods\n\n- time: %s\n- CPU seconds: %s\n- peak memory: %s\n- received: %s\n",
		r.Methods.Seconds, r.Methods.CPUSeconds, r.Methods.PeakMemoryBytes, r.Methods.ReceivedBytes)
	return b.String()
}

// String returns the machine in one line.
func (m Machine) String() string {
	s := fmt.Sprintf("%s/%s with %d processors", m.OS, m.Arch, m.CPUs)
	if m.Model != "" {
		s += " (" + m.Model + ")"
	}
	if m.MemoryBytes != nil {
		s += ", " + Size(m.MemoryBytes) + " of memory"
	}
	if m.Kernel != "" {
		s += ", kernel " + m.Kernel
	}
	return s
}

// String returns the ratio and its interval.
func (r Ratio) String() string { return fmt.Sprintf("%.2f (%.2f-%.2f)", r.Value, r.Low, r.High) }

// Number returns a value with one decimal, or "unknown".
func Number(value *float64) string {
	if value == nil {
		return "unknown"
	}
	return fmt.Sprintf("%.1f", *value)
}

// Size returns a number of bytes for people, or "unknown".
func Size(bytes *float64) string {
	if bytes == nil {
		return "unknown"
	}
	return event.Size(int64(*bytes))
}
