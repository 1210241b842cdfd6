package strategies

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// column is a line of `lab traffic`: the answers by version within half a second, and the lost requests.
type column struct {
	answers map[string]int
	lost    int
}

// readColumn reads a line such as "1.5s  v1 4  v2 5  lost 1 (refused)  95 % within 3 ms". Answers with a status of 500 or
// more count as answers, and as lost.
func readColumn(line string) column {
	c := column{answers: map[string]int{}}
	for _, part := range regexp.MustCompile(`  (\S+) (\d+)( \([^)]*\))?`).FindAllStringSubmatch(line, -1) {
		switch n, _ := strconv.Atoi(part[2]); { // the pattern has digits only
		case part[1] == "lost":
			c.lost += n
		default:
			c.answers[part[1]] += n
		}
	}
	return c
}

// measured is what `lab traffic` measured.
type measured struct {
	column          // everything
	late    column  // the last columns
	overlap float64 // seconds in which several versions answered
	gap     float64 // the longest time without an answer, in seconds
}

// between reports whether a number is a share of the last answers between two limits.
func (m measured) between(low, high float64, n int) bool {
	all := 0
	for _, answers := range m.late.answers {
		all += answers
	}
	share := float64(n) / float64(max(all, 1))
	return share > low && share < high
}

// measure adds up columns. The last ones are those after the index late.
func measure(columns []column, late int) measured {
	m := measured{column: column{answers: map[string]int{}}, late: column{answers: map[string]int{}}}
	silent := 0.0
	for i, c := range columns {
		m.add(c)
		if i >= late {
			m.late.add(c)
		}
		if silent += 0.5; len(c.answers) > 0 {
			silent = 0
		}
		m.gap = max(m.gap, silent)
		if len(c.answers) > 1 {
			m.overlap += 0.5
		}
	}
	return m
}

func (c *column) add(other column) {
	c.lost += other.lost
	for version, n := range other.answers {
		c.answers[version] += n
	}
}

// traffic is a running `lab traffic web`.
type traffic struct {
	r       Reader
	cmd     *exec.Cmd
	lines   *bufio.Scanner
	columns []column
	picture string // what it printed in the end
}

// watch starts `lab traffic web`, and returns when the first requests were answered.
func (r Reader) watch() *traffic {
	r.T.Helper()
	w := &traffic{r: r, cmd: r.Command(append([]string{"traffic", "web"}, r.Traffic...)...)}
	out, err := w.cmd.StdoutPipe()
	if err == nil {
		err = w.cmd.Start()
	}
	if err != nil {
		r.T.Fatal(err)
	}
	w.lines = bufio.NewScanner(out)
	for len(w.columns) == 0 || len(w.columns[0].answers) == 0 {
		w.columns = nil
		w.next()
	}
	return w
}

// next reads a column.
func (w *traffic) next() {
	w.r.T.Helper()
	if !w.lines.Scan() {
		w.r.T.Fatalf("lab traffic ended: %v", w.cmd.Wait())
	}
	w.columns = append(w.columns, readColumn(w.lines.Text()))
}

// until waits until exactly these versions answer for a while, ends `lab traffic`, and returns what it measured.
func (w *traffic) until(versions []string) measured {
	w.r.T.Helper()
	while := 16 // columns, enough to estimate a tenth of the answers
	if w.r.Simulated {
		while = 4
	}
	for steady := 0; steady < while; {
		w.next()
		latest := measure(w.columns[len(w.columns)-steady-1:], 0)
		steady++
		for version := range latest.answers {
			if !slices.Contains(versions, version) {
				steady = 0
			}
		}
		if len(latest.answers) < len(versions) {
			steady = min(steady, while-1)
		}
	}
	if err := w.cmd.Process.Signal(os.Interrupt); err != nil {
		w.r.T.Fatal(err)
	}
	var rest strings.Builder
	for w.lines.Scan() {
		fmt.Fprintln(&rest, w.lines.Text())
	}
	if err := w.cmd.Wait(); err != nil {
		w.r.T.Errorf("lab traffic: %v", err)
	}
	_, w.picture, _ = strings.Cut("\n"+rest.String(), "\nService ")
	if simulated := strings.Contains(w.picture, "simulated"); w.picture == "" || simulated != w.r.Simulated {
		w.r.T.Errorf("lab traffic says that it is simulated: %t, want %t:\n%s", simulated, w.r.Simulated, rest.String())
	}
	return measure(w.columns, len(w.columns)-while)
}
