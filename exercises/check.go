package exercises

import (
	"regexp"
	"slices"
	"strings"

	"github.com/google/cel-go/cel"

	"github.com/clusterlab-dev/lab/profiles/strict"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Problem says why a probe cannot observe anything, or returns "".
func (p Probe) Problem() string {
	if n := count(p.Get.Kind.Value, p.List.Kind.Value, p.Logs.Selector, p.HTTP.Service); n != 1 {
		return "an observation must have exactly one of get, list, logs and http"
	}
	return ""
}

// Problem says why an act does nothing, or returns "".
func (a Act) Problem() string {
	n := count(a.Delete.Kind.Value, a.Scale.Kind.Value, a.SetImage.Kind.Value, a.Drain.Selector.Value)
	if n > 1 || n == 0 && a.Traffic.Service.Value == "" {
		return "an act must have exactly one of delete, scale, setImage and drain; with traffic, at most one"
	}
	return ""
}

func count(values ...string) int {
	return len(slices.DeleteFunc(values, func(s string) bool { return s == "" }))
}

// acts reports whether the check changes the cluster.
func (c Check) acts() bool { return c.Act != Act{} }

// probes checks the probes, and declares their variables.
func (r *reader) probes(probes []Probe) {
	for _, p := range probes {
		switch name := p.Name.Value; {
		case !regexp.MustCompile(`^[a-z][a-zA-Z0-9]*$`).MatchString(name) || slices.Contains([]string{before, traffic, "in", "true", "false", "null"}, name):
			r.problem(r.file, p.Name.Text, "%q cannot be a variable; use letters and digits, such as web", strict.Clip(name))
		case slices.Contains(r.names, name):
			r.problem(r.file, p.Name.Text, "duplicate observation %s", name)
		}
		r.names = append(r.names, p.Name.Value)
		for _, kind := range []Item{p.Get.Kind, p.List.Kind} {
			r.kind(kind)
		}
		for _, namespace := range []Item{p.Get.Namespace, p.List.Namespace} {
			if namespace.Value != "" && !slices.Contains(r.space, namespace.Value) {
				r.problem(r.file, namespace.Text, "namespace %q does not belong to the exercise: %s", strict.Clip(namespace.Value), strings.Join(r.space, ", "))
			}
		}
	}
}

// kind reports a kind that does not exist.
func (r *reader) kind(kind Item, only ...string) {
	if len(only) == 0 {
		only = kindNames()
	}
	if kind.Value == "" || slices.Contains(only, kind.Value) {
		return
	}
	hint := "use one of " + strings.Join(only, ", ")
	if near := fault.Nearest(kind.Value, only); near != "" {
		hint = "did you mean " + near + "?"
	}
	r.problem(r.file, kind.Text, "unknown kind %q: %s", strict.Clip(kind.Value), hint)
}

// checks checks the IDs of an exercise, and compiles its expressions.
func (r *reader) checks(e *Exercise) {
	if len(e.Checks) == 0 || len(e.Checks) > maxChecks {
		r.problem(r.file, strict.Text{Line: 1, Column: 1}, "the exercise has %d checks; it must have between 1 and %d", len(e.Checks), maxChecks)
		return
	}
	env, err := newEnv(e.Probes)
	if err != nil { // the names of the probes are wrong, which was reported
		if len(r.problems) == 0 {
			r.problem(r.file, strict.Text{Line: 1, Column: 1}, "%v", err)
		}
		return
	}
	r.env = env
	var ids []string
	for i := range e.Checks {
		c := &e.Checks[i]
		reserved := c.ID.Value == sectionSolution || c.ID.Value == sectionDone
		if !isLabel(c.ID.Value) || reserved || slices.Contains(ids, c.ID.Value) {
			r.problem(r.file, c.ID.Text, "%q cannot be the ID of this check: IDs are labels such as replicas, unique, and neither %s nor %s",
				strict.Clip(c.ID.Value), sectionSolution, sectionDone)
		}
		ids = append(ids, c.ID.Value)
		r.check(c)
	}
	if !slices.ContainsFunc(e.Checks, func(c Check) bool { return !c.Keep }) {
		r.problem(r.file, e.Checks[0].ID.Text, "all checks are keep: the exercise is solved before it starts")
	}
}

func (r *reader) check(c *Check) {
	env := r.env
	if c.acts() {
		var err error
		if env, err = r.act(c); err != nil {
			r.problem(r.file, c.ID.Text, "%v", err)
			return
		}
	}
	compile := func(x *Expr, want *cel.Type) {
		if x.Value != "" {
			r.problems = append(r.problems, x.compile(env, r.file, want)...)
		}
	}
	compile(&c.Pass, cel.BoolType)
	compile(&c.Found, cel.StringType)
	if c.Pass.Value == "" {
		r.problem(r.file, c.ID.Text, "pass is empty; write a CEL expression")
	}
	if len(c.Hints) == 0 && !c.Keep {
		r.problem(r.file, c.ID.Text, "the check has no hints; write at least one without if, for whatever is wrong")
		return
	}
	var ids []string
	for i := range c.Hints {
		h := &c.Hints[i]
		if !isLabel(h.ID.Value) || slices.Contains(ids, h.ID.Value) {
			r.problem(r.file, h.ID.Text, "%q cannot be the ID of this hint: IDs are labels, unique in a check", strict.Clip(h.ID.Value))
		}
		ids = append(ids, h.ID.Value)
		compile(&h.If, cel.BoolType)
		if last := i == len(c.Hints)-1; last != (h.If.Value == "") {
			r.problem(r.file, h.ID.Text, "the last hint of a check, and only the last, has no if, so that exactly one hint fits")
		}
	}
}

// act checks an act, and returns the environment of its check, which has more variables.
func (r *reader) act(c *Check) (*cel.Env, error) {
	a := c.Act
	r.kind(a.Delete.Kind)
	r.clustered(a.Delete.Kind)
	r.kind(a.Scale.Kind, "Deployment", "StatefulSet")
	r.kind(a.SetImage.Kind, "Deployment", "StatefulSet", "DaemonSet")
	if image := a.SetImage.Image; image.Value != "" {
		if problem := r.declared(image.Value); problem != "" {
			r.problem(r.file, image.Text, "%s", problem)
		}
	}
	if drain := a.Drain.Selector; drain.Value != "" && r.nodes < 2 {
		r.problem(r.file, drain.Text, "drain needs another node for the pods; set nodes to 2 or more under needs")
	}
	observed := cel.MapType(cel.StringType, cel.DynType)
	variables := []cel.EnvOption{cel.Variable(before, observed)}
	if a.Traffic.Service.Value != "" {
		variables = append(variables, cel.Variable(traffic, observed))
	}
	return r.env.Extend(variables...)
}

// clustered reports a kind whose objects have no namespace.
func (r *reader) clustered(kind Item) {
	if resource, ok := ResourceOf(kind.Value); ok && resource.Clustered {
		r.problem(r.file, kind.Text, "a %s is not in a namespace, and an exercise may change only objects in its namespaces", kind.Value)
	}
}
