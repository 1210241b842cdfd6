package exercises

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/clusterlab-dev/lab/profiles/strict"
)

// The sections that every text has, besides those of its checks.
const (
	sectionSolution = "solution"
	sectionDone     = "done"
)

// Text is what students read, in one language. Its parts are Markdown.
type Text struct {
	Title    string
	Task     string
	Checks   map[string]CheckText // by ID
	Solution string
	Done     string // the explanation after success
}

// CheckText is the text of a check.
type CheckText struct {
	Wanted string              // one sentence
	Hints  map[string][]string // by ID: the steps, each more precise than the one before
}

// block is a fenced block of a text.
type block struct {
	Section string // "" before the first section
	Info    string // what follows the opening fence
	Body    string
	Line    int // of its first line
}

// page is a text while it is read.
type page struct {
	Text
	file     string
	lines    []string
	blocks   []block
	sections []string // "ID" and "ID/HINT", in order
	problems strict.Problems
}

// parseText reads the text of an exercise: # TITLE, the task, and sections. The section ## ID has
// what a check wants, and below it ### HINT the steps of a hint, with --- between them.
func parseText(file string, data []byte) *page {
	p := &page{file: file, lines: strings.Split(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n")}
	p.Checks = map[string]CheckText{}
	parts := map[string][]string{}
	section, fence := "", -1
	for i, line := range p.lines {
		switch {
		case strings.HasPrefix(line, "```") && fence < 0:
			fence = i
		case strings.HasPrefix(line, "```"):
			info := strings.TrimPrefix(p.lines[fence], "```")
			p.blocks = append(p.blocks, block{section, info, strings.Join(p.lines[fence+1:i], "\n"), fence + 2})
			fence = -1
		case fence >= 0:
		case strings.HasPrefix(line, "# ") && p.Title == "":
			p.Title = strings.TrimSpace(line[2:])
			continue
		case strings.HasPrefix(line, "## "):
			section = p.enter(i, strings.TrimSpace(line[3:]))
			continue
		case strings.HasPrefix(line, "### "):
			check, _, _ := strings.Cut(section, "/")
			section = p.enter(i, check+"/"+strings.TrimSpace(line[4:]))
			continue
		}
		parts[section] = append(parts[section], line)
	}
	if fence >= 0 {
		p.problem(fence+1, "the block is not closed with ```")
	}
	if p.Title == "" {
		p.problem(1, "the text must start with a title: # TITLE")
	}
	p.assign(parts)
	return p
}

func (p *page) problem(line int, format string, args ...any) {
	p.problems = append(p.problems, strict.Problem{File: p.file, Line: line, Column: 1, Message: fmt.Sprintf(format, args...)})
}

// enter starts a section.
func (p *page) enter(i int, name string) string {
	if slices.Contains(p.sections, name) {
		p.problem(i+1, "duplicate section %q", strict.Clip(name))
	}
	p.sections = append(p.sections, name)
	return name
}

// assign sets the parts of the text from the lines of its sections.
func (p *page) assign(parts map[string][]string) {
	markdown := func(section string) string { return strings.TrimSpace(strings.Join(parts[section], "\n")) }
	p.Task, p.Solution, p.Done = markdown(""), markdown(sectionSolution), markdown(sectionDone)
	for _, section := range p.sections {
		id, hint, isHint := strings.Cut(section, "/")
		switch {
		case id == sectionSolution || id == sectionDone:
		case !isHint:
			p.Checks[id] = CheckText{Wanted: markdown(section), Hints: map[string][]string{}}
		case p.Checks[id].Hints != nil:
			p.Checks[id].Hints[hint] = steps(markdown(section))
		}
	}
}

func steps(markdown string) []string {
	var all []string
	for _, step := range regexp.MustCompile(`(?m)^---$`).Split(markdown, -1) {
		if step = strings.TrimSpace(step); step != "" {
			all = append(all, step)
		}
	}
	return all
}

// sectionsOf returns the sections that the texts of an exercise must have, in order.
func sectionsOf(checks []Check) []string {
	var want []string
	for _, c := range checks {
		want = append(want, c.ID.Value)
		for _, h := range c.Hints {
			want = append(want, c.ID.Value+"/"+h.ID.Value)
		}
	}
	return append(want, sectionSolution, sectionDone)
}

// match reports how the sections of the text differ from those of the exercise.
func (p *page) match(checks []Check) {
	want := sectionsOf(checks)
	for _, section := range want {
		empty := false
		id, hint, isHint := strings.Cut(section, "/")
		switch {
		case section == sectionSolution:
			empty = p.Solution == ""
		case section == sectionDone:
			empty = p.Done == ""
		case isHint:
			empty = len(p.Checks[id].Hints[hint]) == 0
		default:
			empty = p.Checks[id].Wanted == ""
		}
		if empty {
			p.problem(len(p.lines), "the section %q is missing or empty; write: %s", section, heading(section))
		}
	}
	for i, line := range p.lines {
		name, ok := strings.CutPrefix(line, "## ")
		if ok && !slices.Contains(want, strings.TrimSpace(name)) && !p.fenced(i) {
			p.problem(i+1, "exercise.yaml has no check %q; sections: %s", strict.Clip(name), strings.Join(want, ", "))
		}
	}
	for _, section := range p.sections {
		if strings.Contains(section, "/") && !slices.Contains(want, section) {
			p.problem(1, "exercise.yaml has no hint for the section %q", section)
		}
	}
}

func (p *page) fenced(i int) bool {
	return slices.ContainsFunc(p.blocks, func(b block) bool {
		return i+1 >= b.Line && i+1 < b.Line+len(strings.Split(b.Body, "\n"))
	})
}

func heading(section string) string {
	if _, hint, ok := strings.Cut(section, "/"); ok {
		return "### " + hint
	}
	return "## " + section
}

// sameBlocks reports blocks that differ from those of the default language: students of all languages
// type the same commands.
func (p *page) sameBlocks(first *page) {
	if len(p.blocks) != len(first.blocks) {
		p.problem(1, "the text has %d blocks of code, and %s has %d", len(p.blocks), first.file, len(first.blocks))
		return
	}
	for i, b := range p.blocks {
		other := first.blocks[i]
		if b.Body != other.Body || b.Info != other.Info || b.Section != other.Section {
			p.problem(b.Line, "the block differs from %s:%d", first.file, other.Line)
		}
	}
}
