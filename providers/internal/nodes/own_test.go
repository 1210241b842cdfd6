//go:build !windows

package nodes

import (
	"errors"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/docker/dockertest"
)

// marking is a tool whose nodes bear a mark, and whose balancer cannot.
func marking() Tool {
	t := tool()
	t.Mark = func(c docker.Container) string { return c.Config.Labels["mark"] }
	return t
}

func marked(c docker.Container, mark string) docker.Container {
	c.Config.Labels["mark"] = mark
	return c
}

// TestOwn checks that the containers of a cluster are those with its mark or, if it has none,
// those that its first node began with, and helpers while no other cluster has the name.
func TestOwn(t *testing.T) {
	const cp, worker, balancer, mark = "control-plane", "worker", "balancer", "a-mark"
	ref := providers.Ref{Name: "lab", ID: "id-of-control-plane", Mark: mark}
	old := providers.Ref{Name: "lab", ID: "id-of-control-plane"}
	unfinished := providers.Ref{Name: "lab", Mark: mark}
	run := func(role string) docker.Container { return node(role, "running") }
	ours := func(role string) docker.Container { return marked(run(role), mark) }
	remade := run(cp)
	remade.ID = "another"
	copied := run(cp)
	copied.ID, copied.Name = "a-copy", "a-copy"
	for name, test := range map[string]struct {
		ref   providers.Ref
		found []docker.Container
		own   string
		kind  error
	}{
		"all of it":                        {ref, []docker.Container{ours(cp), ours(worker), run(balancer)}, "lab-balancer lab-control-plane lab-worker", nil},
		"its first node is gone":           {ref, []docker.Container{ours(worker)}, "lab-worker", nil},
		"only its balancer is left":        {ref, []docker.Container{run(balancer)}, "lab-balancer", nil},
		"its first node is another's now":  {ref, []docker.Container{remade, ours(worker)}, "lab-worker", nil},
		"... which has a balancer":         {ref, []docker.Container{marked(run(cp), "b"), ours(worker), run(balancer)}, "lab-worker", nil},
		"... of which no node has a mark":  {ref, []docker.Container{remade, ours(worker), run(balancer)}, "lab-worker", nil},
		"a container with copied labels":   {ref, []docker.Container{ours(cp), run(worker), run(balancer)}, "lab-control-plane lab-balancer", nil},
		"... of the first node":            {ref, []docker.Container{copied, ours(cp)}, "lab-control-plane", nil},
		"all is another lab's":             {ref, []docker.Container{marked(run(cp), "b"), marked(run(worker), "b")}, "", fault.ErrForeign},
		"all is of the tool itself":        {unfinished, []docker.Container{run(cp), run(worker)}, "", fault.ErrForeign},
		"another's worker, without a mark": {ref, []docker.Container{run(worker)}, "", fault.ErrForeign},
		"of a lab without marks":           {old, []docker.Container{run(cp), run(worker)}, "lab-control-plane lab-worker", nil},
		"... whose first node is gone":     {old, []docker.Container{run(worker)}, "", fault.ErrUnavailable},
		"nothing":                          {ref, nil, "", fault.ErrNotFound},
	} {
		answers := dockertest.Having(t, test.found...)
		d := dockertest.Script(t, answers...)
		own, err := marking().Own(t.Context(), test.ref)
		var names []string
		for _, c := range own {
			names = append(names, c.Name)
		}
		if got := strings.Join(names, " "); got != test.own || !errors.Is(err, test.kind) {
			t.Errorf("%s: %q, %v; want %q, %v (%q)", name, got, err, test.own, test.kind, d.Calls(t))
		}
	}
}
