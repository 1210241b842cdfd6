package kind

import (
	"errors"
	"fmt"
	"strings"

	kinderrors "sigs.k8s.io/kind/pkg/errors"
	"sigs.k8s.io/kind/pkg/exec"

	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/cause"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// explain returns an error of kind with the output of the command that failed, which kind keeps
// but does not show. began says that kind had begun its work: before that, only its input can
// be wrong.
func explain(err error, began bool) error {
	if err == nil {
		return nil
	}
	var errs []error
	for _, one := range causes(err) {
		errs = append(errs, explainOne(one, began))
	}
	return errors.Join(errs...)
}

func explainOne(err error, began bool) error {
	run := exec.RunErrorForError(err)
	switch {
	case run != nil:
		return explainCommand(what(err, run), run)
	case strings.Contains(err.Error(), "node(s) already exist"):
		return fault.Errorf(fault.ErrExists, "%s", err)
	case strings.Contains(err.Error(), "could not find a log line"):
		return fault.WithHint(fmt.Errorf("a node did not start: %w", err), "check this machine: lab doctor")
	case !began:
		return invalid("%s", err)
	}
	return errors.New(err.Error()) // without the stack trace
}

// explainCommand returns the reason in the output of a command that failed. The whole output is
// the detail.
func explainCommand(failed string, run *exec.RunError) error {
	words := string(run.Output)
	if taken(words) {
		return fault.Errorf(fault.ErrExists, "%s", docker.LastLines(words, 1))
	}
	command := strings.Join(run.Command[:min(2, len(run.Command))], " ")
	docked, ok := strings.CutPrefix(command, "docker ")
	said, _ := cause.Reason(words)
	if ok && docked != "exec" {
		said = docker.LastLines(words, 3) // docker prints a reason only once
	}
	err := fmt.Errorf("%s: %s", failed, said)
	if said == "" {
		err = fmt.Errorf("%s: %w", failed, run.Inner)
	}
	if ok {
		err = docker.Explain(docked, words, err)
	}
	return fault.WithDetail(err, words)
}

// what returns what failed, in kind's words or else as the program and its subcommand: a
// command may have a hundred arguments.
func what(err error, run *exec.RunError) string {
	if prefix, ok := strings.CutSuffix(err.Error(), ": "+run.Error()); ok {
		return prefix
	}
	return strings.Join(run.Command[:min(2, len(run.Command))], " ")
}

// taken reports whether docker refused a name because a container has it.
func taken(said string) bool {
	return strings.Contains(said, "is already in use by container")
}

// causes returns the errors that kind joined, or err itself.
func causes(err error) []error {
	if all := kinderrors.Errors(err); len(all) > 0 {
		return all
	}
	return []error{err}
}
