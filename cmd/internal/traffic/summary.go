package traffic

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Summary is the result of sending requests.
type Summary struct {
	Namespace string    `json:"namespace"`
	Service   string    `json:"service"`
	Simulated bool      `json:"simulated"` // no requests were sent: pods are simulated
	Requests  int       `json:"requests"`
	Lost      int       `json:"lost"`     // without an answer, or with a status of 500 or more
	Versions  []Version `json:"versions"` // in the order of their first answers
	Overlap   float64   `json:"overlap"`  // how long several versions answered, in seconds
	Gap       float64   `json:"gap"`      // the longest time without an answer, in seconds
	Columns   []Column  `json:"columns"`
	Verdict   string    `json:"verdict"` // one sentence
}

// Version is a version that answered.
type Version struct {
	Name     string  `json:"name"`
	Requests int     `json:"requests"`
	Share    float64 `json:"share"` // of the answers of the last quarter, from 0 to 1
}

func (s *Summary) add(c Column) { s.Columns = append(s.Columns, c) }

// answered returns the number of answers of a column that did not fail.
func (c Column) answered() int { return max(0, total(c.Answers)-c.errors()) }

// errors returns the number of answers with a status of 500 or more.
func (c Column) errors() int {
	n := 0
	for reason, count := range c.Failed {
		if strings.HasPrefix(reason, "status ") {
			n += count
		}
	}
	return n
}

// Lost returns the number of requests of a column that failed.
func (c Column) Lost() int { return total(c.Failed) }

func total(counts map[string]int) int {
	n := 0
	for _, count := range counts {
		n += count
	}
	return n
}

// conclude computes everything from the columns.
func (s *Summary) conclude() {
	if s.Columns == nil {
		s.Columns = []Column{}
	}
	overlap := 0
	for _, c := range s.Columns {
		s.Requests += total(c.Answers) + c.Lost() - c.errors()
		s.Lost += c.Lost()
		if len(c.versions()) > 1 {
			overlap++
		}
	}
	s.Versions = versionsOf(s.Columns)
	s.Overlap, s.Gap = seconds(overlap), seconds(longestGap(s.Columns))
	s.Verdict = s.verdict()
}

// versionsOf returns the versions in the order of their first answers. Their shares are those of the last quarter.
func versionsOf(columns []Column) []Version {
	versions, late := []Version{}, 0
	for i, c := range columns {
		for _, name := range c.versions() {
			at := slices.IndexFunc(versions, func(v Version) bool { return v.Name == name })
			if at < 0 {
				at = len(versions)
				versions = append(versions, Version{Name: name})
			}
			count := c.Answers[name]
			versions[at].Requests += count
			if i >= len(columns)*3/4 {
				versions[at].Share += float64(count)
				late += count
			}
		}
	}
	for i := range versions {
		versions[i].Share /= float64(max(late, 1))
	}
	return versions
}

// longestGap returns the largest number of columns in a row that have requests and no answer. Columns without requests
// do not count, nor does silence before the first answer.
func longestGap(columns []Column) int {
	longest, silent, answered := 0, 0, false
	for _, c := range columns {
		switch {
		case c.answered() > 0:
			answered, silent = true, 0
		case answered && (c.Lost() > 0 || c.InFlight > 0):
			silent++
			longest = max(longest, silent)
		}
	}
	return longest
}

func seconds(columns int) float64 { return (time.Duration(columns) * ColumnTime).Seconds() }

// versions returns the versions that answered in a column, sorted.
func (c Column) versions() []string {
	var names []string
	for name, count := range c.Answers {
		if count > 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// soleShare is the share at which a version counts as the only one: a few late answers may be of another.
const soleShare = 0.99

// verdict says in one sentence what happened.
func (s *Summary) verdict() string {
	lost := fmt.Sprintf("%d of %d requests lost", s.Lost, s.Requests)
	if s.Requests == 0 {
		return "no requests"
	}
	if len(s.Versions) == 0 {
		return "nobody answered: " + lost
	}
	last := slices.MaxFunc(s.Versions, func(a, b Version) int { return cmp.Compare(a.Share, b.Share) })
	first := s.Versions[0]
	switch {
	case s.Gap >= 1:
		return fmt.Sprintf("nobody answered for %.1f s; %s", s.Gap, lost)
	case len(s.Versions) == 1:
		return fmt.Sprintf("only %s answered; %s", first.Name, lost)
	case last.Share < soleShare:
		return fmt.Sprintf("%s still share the traffic: %s; %s", s.names(), s.shares(), lost)
	case s.Overlap <= ColumnTime.Seconds():
		return fmt.Sprintf("the traffic moved from %s to %s at once; %s", first.Name, last.Name, lost)
	}
	return fmt.Sprintf("%s answered side by side for %.1f s, then only %s; %s", s.names(), s.Overlap, last.Name, lost)
}

func (s *Summary) names() string {
	text := ""
	for i, v := range s.Versions {
		switch {
		case i == 0:
		case i == len(s.Versions)-1:
			text += " and "
		default:
			text += ", "
		}
		text += v.Name
	}
	return text
}

func (s *Summary) shares() string {
	text := ""
	for i, v := range s.Versions {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%s %.0f %%", v.Name, v.Share*100)
	}
	return text
}
