// Package strategies runs docs/strategies.md in tests as a user does, and compares what `lab traffic` measures with the page.
package strategies

import (
	"maps"
	"os/exec"
	"regexp"
	"slices"
	"strings"

	"github.com/clusterlab-dev/lab/e2e/internal/console"
	"github.com/clusterlab-dev/lab/e2e/internal/session"
)

// Reader runs the commands of the page.
type Reader struct {
	session.Session

	// Shell prepares a command line with lab on PATH.
	Shell func(line string) *exec.Cmd

	// Line changes a command line of the page for this cluster.
	Line func(line string) string

	// Traffic are the arguments of `lab traffic` that select the cluster.
	Traffic []string

	// Simulated is true if the cluster simulates pods: lab cannot load images, and no request is sent.
	Simulated bool
}

// Read runs the commands of a page, and compares their output with it. Before the last command of a section with a
// picture, it starts `lab traffic`: the versions of the picture must answer, in the end those of its last columns, and the
// measurements must be those of the strategy.
func (r Reader) Read(page string) {
	r.T.Helper()
	pictures := 0
	for _, section := range strings.Split(page, "\n## ") {
		title, _, _ := strings.Cut(section, "\n")
		before, after, _ := strings.Cut(section, "```\nService ")
		drawn, last := versionsOf(after)
		calls := console.Parse(before)
		if len(drawn) == 0 {
			r.types(calls)
			continue
		}
		pictures++
		r.types(calls[:len(calls)-1])
		traffic := r.watch()
		r.types(calls[len(calls)-1:])
		m := traffic.until(last)
		if seen := slices.Sorted(maps.Keys(m.answers)); !slices.Equal(seen, slices.Sorted(slices.Values(drawn))) {
			r.T.Errorf("%s: the picture has %q, but %q answered", title, drawn, seen)
		}
		r.T.Logf("%s\n%s", title, traffic.picture)
		r.judge(title, m)
		r.types(console.Parse(after))
	}
	if pictures < 5 {
		r.T.Errorf("found only %d pictures", pictures)
	}
}

// versionsOf returns the versions in the picture that a text begins with, and those of its last eight columns: with one
// column, a canary could be absent.
func versionsOf(text string) (all, last []string) {
	picture, _, _ := strings.Cut(text, "```")
	for _, row := range regexp.MustCompile(`(?m)^  (\S+) +(\S+)$`).FindAllStringSubmatch(picture, -1) {
		if row[1] == "lost" {
			continue
		}
		all = append(all, row[1])
		if !strings.HasSuffix(row[2], strings.Repeat("·", 8)) {
			last = append(last, row[1])
		}
	}
	return all, last
}

// types runs commands, and compares what they print.
func (r Reader) types(calls []console.Call) {
	r.T.Helper()
	for _, call := range calls {
		cmd := r.Shell(r.Line(call.Line))
		if !r.Simulated || !strings.HasPrefix(call.Line, "lab image load ") {
			call.Check(r.T, cmd)
			continue
		}
		if err := cmd.Run(); cmd.ProcessState.ExitCode() != 6 { // the page says that it does not work here
			r.T.Errorf("%s: %v, want exit code 6", call.Line, err)
		}
	}
}

// judge compares the measurements of a section with what its strategy promises. Simulated pods lose no requests, except
// while none is ready.
func (r Reader) judge(title string, m measured) {
	r.T.Helper()
	lossy := !r.Simulated
	promises := map[string]map[string]bool{
		"A rolling update that loses requests": {"both versions answer": m.overlap > 0, "some pod always answers": m.gap < 2, "requests are lost": m.lost > 0 == lossy},
		"A rolling update that loses none":     {"both versions answer": m.overlap > 0, "no request is lost": m.lost == 0},
		"Recreate":                             {"only one version answers": m.overlap == 0, "nobody answers for a while": !lossy || m.gap >= 1 && m.lost > 0},
		"Blue/green":                           {"the switch takes less than a second": m.overlap <= 1 && m.gap == 0, "a third of the answers fails": !lossy || m.between(0.2, 0.5, m.late.lost)},
		"Canary":                               {"a tenth of the answers is new": m.between(0.03, 0.25, m.late.answers["v3-bad"]), "some requests are lost": m.lost > 0 == lossy},
	}[title]
	if len(promises) == 0 {
		r.T.Errorf("no promise is known of the section %q", title)
	}
	for promise, kept := range promises {
		if !kept {
			r.T.Errorf("%s: it is not so that %s: %+v", title, promise, m)
		}
	}
}
