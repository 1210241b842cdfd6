//go:build e2e && unix

package kwok

import (
	"bufio"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/e2e/internal/console"
)

// TestStrategies runs the commands of docs/strategies.md on a cluster that simulates pods, and compares their output with
// the page. While it runs the commands of a section with a picture, it runs `lab traffic`: the versions of the picture
// must answer, and in the end those of its last columns.
func TestStrategies(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "strategies.md"))
	if err != nil {
		t.Fatal(err)
	}
	p, pictures := newUser(t), 0
	for _, section := range strings.Split(string(page), "\n## ") {
		title, _, _ := strings.Cut(section, "\n")
		before, after, _ := strings.Cut(section, "```\nService ")
		drawn, last := versionsOf(after)
		if len(drawn) == 0 {
			p.types(section)
			continue
		}
		pictures++
		traffic := p.watchTraffic()
		p.types(before)
		seen := traffic.until(last)
		for _, version := range drawn {
			if !seen[version] {
				t.Errorf("%s: the picture has %s, but only %q answered", title, version, slices.Sorted(maps.Keys(seen)))
			}
		}
		p.types(after)
	}
	if pictures < 5 {
		t.Errorf("found only %d pictures", pictures)
	}
}

// TestSnapshotsPage runs the commands of docs/snapshots.md, and compares their output with the page.
func TestSnapshotsPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "snapshots.md"))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(console.Parse(string(page))); n < 5 {
		t.Errorf("the page has only %d commands", n)
	}
	p := newUser(t)
	p.types(string(page))
	p.Must("down", "shop")
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

// types runs the commands of a text as a user does who has lab on PATH, and compares what they print.
func (p *user) types(text string) {
	p.T.Helper()
	for _, call := range console.Parse(text) {
		line := strings.Replace(call.Line, "--flavor kind", "--flavor kwok", 1)
		cmd := p.command()
		cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", line}
		cmd.Env = append(cmd.Env, "PATH="+p.bin)
		out, err := cmd.Output()
		if strings.HasPrefix(line, "lab image load ") { // the page says that it does not work here
			if cmd.ProcessState.ExitCode() != 6 {
				p.T.Errorf("%s: %v, want exit code 6", line, err)
			}
			continue
		}
		if err != nil {
			p.T.Fatalf("%s: %v\n%s%s", line, err, out, stderrOf(err))
		}
		if diff := cmp.Diff(console.Steady(call.Prints), console.Steady(string(out))); call.Prints != "" && diff != "" {
			p.T.Errorf("%s (-page +printed):\n%s", line, diff)
		}
	}
}

func stderrOf(err error) string {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return string(exit.Stderr)
	}
	return ""
}

// trafficWatch is a running `lab traffic web`.
type trafficWatch struct {
	p     *user
	cmd   *exec.Cmd
	lines *bufio.Scanner
	seen  map[string]bool // the versions that answered
}

// watchTraffic starts `lab traffic web`, and returns when the first requests were answered.
func (p *user) watchTraffic() *trafficWatch {
	p.T.Helper()
	w := &trafficWatch{p: p, cmd: p.command("traffic", "web"), seen: map[string]bool{}}
	out, err := w.cmd.StdoutPipe()
	if err == nil {
		err = w.cmd.Start()
	}
	if err != nil {
		p.T.Fatal(err)
	}
	w.lines = bufio.NewScanner(out)
	w.next()
	return w
}

// next returns the versions that answered in the next column.
func (w *trafficWatch) next() (versions []string) {
	w.p.T.Helper()
	if !w.lines.Scan() {
		w.p.T.Fatalf("lab traffic ended: %v", w.cmd.Wait())
	}
	answers, _, _ := strings.Cut(w.lines.Text(), "lost ")
	words := strings.Fields(answers)
	for i := 2; i < len(words); i += 2 { // the time, then a version and the number of its answers
		if _, err := strconv.Atoi(words[i]); err == nil {
			versions = append(versions, words[i-1])
			w.seen[words[i-1]] = true
		}
	}
	return versions
}

// until waits for a column in which exactly these versions answer, ends `lab traffic`, and returns all versions that
// answered. It checks that lab says that the traffic is simulated.
func (w *trafficWatch) until(versions []string) map[string]bool {
	w.p.T.Helper()
	for !slices.Equal(w.next(), versions) {
	}
	if err := w.cmd.Process.Signal(os.Interrupt); err != nil {
		w.p.T.Fatal(err)
	}
	var rest strings.Builder
	for w.lines.Scan() {
		fmt.Fprintln(&rest, w.lines.Text())
	}
	if err := w.cmd.Wait(); err != nil {
		w.p.T.Errorf("lab traffic: %v", err)
	}
	if !strings.Contains(rest.String(), "Service default/web: simulated") {
		w.p.T.Errorf("lab traffic did not say that it is simulated:\n%s", rest.String())
	}
	return w.seen
}
