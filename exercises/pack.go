package exercises

import "github.com/clusterlab-dev/lab/providers/fault"

// Pack is a set of exercises.
type Pack struct {
	Name                 string
	Languages            []string // the first is the default
	Images, BrokenImages []string
	Exercises            []*Exercise // in order
}

// Exercise is one exercise of a pack.
type Exercise struct {
	Pack       string
	Name       string
	After      []string
	Needs      Needs
	Namespaces []string // the first is the default
	Files      []File
	Start      []Object
	Probes     []Probe
	Checks     []Check
	Wrong      []Trial
	Also       []Trial
	Solution   []Step
	Shown      []Step          // the commands of the task, which only read
	Texts      map[string]Text // by language
}

// File is a file that students work with.
type File struct {
	Path string // slash-separated, relative to the working directory of the student
	Data []byte
}

// Trial is an answer with its steps.
type Trial struct {
	Name        string
	Steps       []Step
	Pods        bool // only where containers run
	Check, Hint string
}

// Get returns an exercise by name, or ErrNotFound with a suggestion.
func (p *Pack) Get(name string) (*Exercise, error) {
	var names []string
	for _, e := range p.Exercises {
		if e.Name == name {
			return e, nil
		}
		names = append(names, e.Name)
	}
	err := fault.Errorf(fault.ErrNotFound, "pack %s has no exercise %q", p.Name, name)
	if near := fault.Nearest(name, names); near != "" {
		return nil, fault.WithHint(err, "did you mean %s?", near)
	}
	return nil, fault.WithHint(err, "list the exercises: lab exercise list")
}

// AddonNames returns the names of the addons that an exercise needs.
func (n Needs) AddonNames() []string {
	var names []string
	for _, item := range n.Addons {
		names = append(names, item.Value)
	}
	return names
}

// Hints returns the number of hints of an exercise.
func (e *Exercise) Hints() int {
	n := 0
	for _, c := range e.Checks {
		n += len(c.Hints)
	}
	return n
}

// UnprovenHints returns the hints that no wrong answer must get, as CHECK/HINT.
func (e *Exercise) UnprovenHints() []string {
	proven := map[string]bool{}
	for _, w := range e.Wrong {
		proven[w.Check+"/"+w.Hint] = true
	}
	var unproven []string
	for _, c := range e.Checks {
		for _, h := range c.Hints {
			if name := c.ID.Value + "/" + h.ID.Value; !proven[name] {
				unproven = append(unproven, name)
			}
		}
	}
	return unproven
}
