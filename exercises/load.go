package exercises

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/google/cel-go/cel"

	"github.com/clusterlab-dev/lab/profiles/strict"
)

const (
	maxFile      = 256_000 // bytes
	maxExercises = 200
	maxChecks    = 50
)

// loader reads a pack. It continues after a problem, to report all of them.
type loader struct {
	fsys     fs.FS
	name     string // of the pack in problems
	pack     *Pack
	problems strict.Problems
	owners   map[string]string // the exercise of each namespace
}

// Load reads the pack in fsys. name stands for its directory in problems. Its error is
// [strict.Problems].
func Load(fsys fs.FS, name string) (*Pack, error) {
	l := &loader{fsys: fsys, name: name, pack: &Pack{}, owners: map[string]string{}}
	var f packFile
	l.decode("pack.yaml", &f)
	if len(l.problems) == 0 {
		l.load(f)
	}
	return l.pack, l.problems.Err("docs/exercises.md describes the format; get a schema for your editor: lab exercise schema")
}

func (l *loader) load(f packFile) {
	l.pack.Name, l.pack.Images, l.pack.BrokenImages = string(f.Name), f.Images, f.BrokenImages
	for _, language := range f.Languages {
		l.pack.Languages = append(l.pack.Languages, string(language))
	}
	file := path.Join(l.name, "pack.yaml")
	if len(f.Exercises) > maxExercises {
		l.problem(file, f.Exercises[0].Text, "the pack has %d exercises; the limit is %d", len(f.Exercises), maxExercises)
		return
	}
	after := map[string][]Item{}
	for _, item := range f.Exercises {
		switch {
		case !isLabel(item.Value):
			l.problem(file, item.Text, "%s", Name(item.Value).Problem())
		case after[item.Value] != nil:
			l.problem(file, item.Text, "duplicate exercise %s", item.Value)
		default:
			e, needs := l.exercise(item.Value)
			l.pack.Exercises = append(l.pack.Exercises, e)
			after[item.Value] = append([]Item{}, needs...)
		}
	}
	l.order(after)
}

// order reports exercises that must be done after unknown ones, or after themselves.
func (l *loader) order(after map[string][]Item) {
	for _, e := range l.pack.Exercises {
		for _, item := range after[e.Name] {
			file := path.Join(l.name, e.Name, "exercise.yaml")
			if after[item.Value] == nil {
				l.problem(file, item.Text, "the pack has no exercise %q", strict.Clip(item.Value))
				continue
			}
			if chain := cycle(after, item.Value, []string{e.Name}); chain != nil {
				l.problem(file, item.Text, "exercises are after each other in a cycle: %s; remove one of them from after", strings.Join(chain, " -> "))
			}
		}
	}
}

// cycle returns the chain of exercises from name back to the first of chain, or nil.
func cycle(after map[string][]Item, name string, chain []string) []string {
	chain = append(slices.Clone(chain), name)
	if name == chain[0] {
		return chain
	}
	if slices.Contains(chain[:len(chain)-1], name) {
		return nil // another cycle, which its own exercises report
	}
	for _, next := range after[name] {
		if found := cycle(after, next.Value, chain); found != nil {
			return found
		}
	}
	return nil
}

// exercise reads the exercise in a directory.
func (l *loader) exercise(name string) (*Exercise, []Item) {
	e := &Exercise{Pack: l.pack.Name, Name: name, Texts: map[string]Text{}}
	var f exerciseFile
	before := len(l.problems)
	l.decode(path.Join(name, "exercise.yaml"), &f)
	if len(l.problems) > before {
		return e, nil
	}
	r := &reader{loader: l, dir: name, file: path.Join(l.name, name, "exercise.yaml")}
	e.Needs, e.Probes, e.Checks = f.Needs, f.Observe, f.Checks
	e.Namespaces = r.namespaces(f.Namespaces)
	for _, item := range f.After {
		e.After = append(e.After, item.Value)
	}
	r.space, r.nodes = e.Namespaces, e.Needs.Nodes
	r.addons(e.Needs.Addons)
	r.probes(e.Probes)
	r.checks(e)
	e.Start = r.apply(f.Start)
	e.Files = r.collect(f.Files)
	e.Wrong, e.Also = r.trials(f.Wrong, e.Checks, true), r.trials(f.Also, e.Checks, false)
	if len(f.Wrong) < 2 {
		l.problem(r.file, strict.Text{Line: 1, Column: 1}, "the exercise has %d wrong answers; write at least two, with the hints that they must get", len(f.Wrong))
	}
	r.texts(e)
	return e, f.After
}

func (l *loader) problem(file string, at strict.Text, format string, args ...any) {
	l.problems = append(l.problems, problemAt(file, at, format, args...))
}

// decode reads a YAML file of the pack.
func (l *loader) decode(name string, into any) {
	data, ok := l.read(name, path.Join(l.name, name), strict.Text{})
	if !ok {
		return
	}
	_, problems := strict.Decode(path.Join(l.name, name), ".", data, into)
	l.problems = append(l.problems, problems...)
}

// read returns the content of a file of the pack. A problem is reported at a position of the file
// that refers to it.
func (l *loader) read(name, from string, at strict.Text) ([]byte, bool) {
	f, err := l.fsys.Open(name)
	if err != nil {
		l.problem(from, at, "cannot read %s: %v", name, reason(err))
		return nil, false
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		l.problem(from, at, "cannot read %s: %v", name, err)
	case len(data) > maxFile:
		l.problem(from, at, "%s is larger than %d kB", name, maxFile/1000)
	default:
		return data, true
	}
	return nil, false
}

// reason returns an error of a file without its path.
func reason(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	return err
}

// reader reads one exercise.
type reader struct {
	*loader
	dir   string
	file  string
	space []string
	work  []string // the files that students work with, and their directories
	nodes int      // that the exercise needs
	names []string // of the probes
	env   *cel.Env
}

func (r *reader) namespaces(items []Item) []string {
	var names []string
	for _, item := range items {
		switch owner := r.owners[item.Value]; {
		case !isLabel(item.Value):
			r.problem(r.file, item.Text, "%s", Name(item.Value).Problem())
		case item.Value == "default" || strings.HasPrefix(item.Value, "kube-"):
			r.problem(r.file, item.Text, "namespace %s belongs to Kubernetes; use another name", item.Value)
		case owner != "":
			r.problem(r.file, item.Text, "namespace %s belongs to the exercise %s; use another name", item.Value, owner)
		}
		r.owners[item.Value] = r.dir
		names = append(names, item.Value)
	}
	if len(names) == 0 {
		r.problem(r.file, strict.Text{Line: 1, Column: 1}, "namespaces is empty; name at least one")
		names = []string{r.dir}
	}
	return names
}

// addons reports names that no addon can have, and duplicates. The catalog is not known here.
func (r *reader) addons(items []Item) {
	var names []string
	for _, item := range items {
		switch {
		case !isLabel(item.Value):
			r.problem(r.file, item.Text, "%s", Name(item.Value).Problem())
		case slices.Contains(names, item.Value):
			r.problem(r.file, item.Text, "duplicate addon %s", item.Value)
		}
		names = append(names, item.Value)
	}
}

// path returns the path of a file of the exercise in the pack, or "".
func (r *reader) path(item Item) string {
	if !fs.ValidPath(item.Value) || item.Value == "." {
		r.problem(r.file, item.Text, "%q leads outside the directory of the exercise; use a path below it, with / between names", strict.Clip(item.Value))
		return ""
	}
	return path.Join(r.dir, item.Value)
}

// apply returns the objects of manifests.
func (r *reader) apply(items []Item) []Object {
	var all []Object
	for _, item := range items {
		name := r.path(item)
		if name == "" {
			continue
		}
		if data, ok := r.read(name, r.file, item.Text); ok {
			all = append(all, r.manifest(path.Join(r.name, name), 0, data, r.space)...)
		}
	}
	return all
}

// command reads a command of kubectl or helm.
func (r *reader) command(file string, at strict.Text, change bool) (Step, bool) {
	parse := parser{namespaces: r.space, files: r.work, change: change}
	s, problem := parse.step(at.Value)
	if problem != "" {
		r.problem(file, at, "%s", problem)
		return s, false
	}
	for _, image := range imagesIn(s.Kubectl) {
		if problem := r.declared(image); problem != "" {
			r.problem(file, at, "%s", problem)
		}
	}
	return s, true
}

func (r *reader) trials(attempts []Attempt, checks []Check, wrong bool) []Trial {
	var all []Trial
	for _, a := range attempts {
		t := Trial{Name: a.Name.Value, Pods: a.Pods, Check: a.Check.Value, Hint: a.Hint.Value}
		for _, item := range a.Apply {
			if objects := r.apply([]Item{item}); objects != nil {
				t.Steps = append(t.Steps, Step{Objects: objects, Line: "apply " + item.Value})
			}
		}
		for _, item := range a.Run {
			if s, ok := r.command(r.file, item.Text, true); ok {
				t.Steps = append(t.Steps, s)
			}
		}
		r.expected(a, checks, wrong)
		all = append(all, t)
	}
	return all
}

// expected reports an attempt whose check or hint does not exist.
func (r *reader) expected(a Attempt, checks []Check, wrong bool) {
	if !wrong {
		if a.Check.Value+a.Hint.Value != "" {
			r.problem(r.file, a.Name.Text, "a valid solution fails no check; remove check and hint")
		}
		return
	}
	i := slices.IndexFunc(checks, func(c Check) bool { return c.ID.Value == a.Check.Value })
	if i < 0 {
		r.problem(r.file, cmpText(a.Check, a.Name), "the check %q that the wrong answer must fail does not exist", strict.Clip(a.Check.Value))
		return
	}
	if !slices.ContainsFunc(checks[i].Hints, func(h Hint) bool { return h.ID.Value == a.Hint.Value }) {
		r.problem(r.file, cmpText(a.Hint, a.Name), "the check %s has no hint %q", a.Check.Value, strict.Clip(a.Hint.Value))
	}
}

// cmpText returns the position of the first item that is in the file.
func cmpText(items ...Item) strict.Text {
	for _, item := range items {
		if item.Line > 0 {
			return item.Text
		}
	}
	return strict.Text{Line: 1, Column: 1}
}

// texts reads the texts of all languages.
func (r *reader) texts(e *Exercise) {
	var first *page
	for _, language := range r.pack.Languages {
		name := path.Join(r.dir, language+".md")
		data, ok := r.read(name, path.Join(r.loader.name, "pack.yaml"), strict.Text{Line: 1, Column: 1})
		if !ok {
			continue
		}
		p := parseText(path.Join(r.loader.name, name), data)
		p.match(e.Checks)
		if first == nil {
			first = p
			r.steps(e, p)
		} else {
			p.sameBlocks(first)
		}
		r.problems = append(r.problems, p.problems...)
		e.Texts[language] = p.Text
	}
}

// steps reads the commands and manifests in a text.
func (r *reader) steps(e *Exercise, p *page) {
	for _, b := range p.blocks {
		switch {
		case b.Info == "yaml" && b.Section == sectionSolution:
			objects := r.manifest(p.file, b.Line-1, []byte(b.Body), r.space)
			e.Solution = append(e.Solution, Step{Objects: objects, Line: fmt.Sprintf("apply the manifest at %s:%d", p.file, b.Line)})
		case b.Info == "console":
			r.console(e, p, b)
		}
	}
	if len(e.Solution) == 0 && len(p.problems) == 0 {
		p.problem(len(p.lines), "the section solution has no ```console or ```yaml block that lab could try")
	}
}

// console reads the commands of a block. Other lines are output.
func (r *reader) console(e *Exercise, p *page, b block) {
	for i, line := range strings.Split(b.Body, "\n") {
		command, ok := strings.CutPrefix(line, "$ ")
		if !ok || strings.HasPrefix(command, "lab ") {
			continue
		}
		at := strict.Text{Value: command, Line: b.Line + i, Column: 3}
		s, ok := r.command(p.file, at, b.Section == sectionSolution)
		switch {
		case !ok:
		case b.Section == sectionSolution:
			e.Solution = append(e.Solution, s)
		case b.Section == "":
			e.Shown = append(e.Shown, s)
		}
	}
}
