package traffic

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Summary says what happened while requests were sent.
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
	s.Versions = []Version{}
	index := func(name string) int {
		return slices.IndexFunc(s.Versions, func(v Version) bool { return v.Name == name })
	}
	recent, late := 0, map[string]int{}
	overlap, gap, silent, spoke := 0, 0, 0, false
	for i, c := range s.Columns {
		for _, name := range c.versions() {
			if index(name) < 0 {
				s.Versions = append(s.Versions, Version{Name: name})
			}
			s.Versions[index(name)].Requests += c.Answers[name]
			if i >= len(s.Columns)*3/4 {
				late[name] += c.Answers[name]
				recent += c.Answers[name]
			}
		}
		s.Requests += total(c.Answers) + c.Lost() - c.errors()
		s.Lost += c.Lost()
		if len(c.versions()) > 1 {
			overlap++
		}
		switch {
		case c.answered() > 0:
			if spoke { // silence before the first answer is not a gap
				gap = max(gap, silent)
			}
			spoke, silent = true, 0
		case c.Lost() > 0 || c.InFlight > 0:
			silent++
		}
	}
	if spoke {
		gap = max(gap, silent)
	}
	for i := range s.Versions {
		if recent > 0 {
			s.Versions[i].Share = float64(late[s.Versions[i].Name]) / float64(recent)
		}
	}
	s.Overlap, s.Gap = seconds(overlap), seconds(gap)
	s.Verdict = s.verdict()
}

func seconds(columns int) float64 { return (time.Duration(columns) * ColumnTime).Seconds() }

// versions returns the versions that answered in a column, by name.
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

// most is the share from which a version counts as the only one: answers on their way may be of the former one.
const most = 0.99

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
	case last.Share < most:
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
