package docker

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"strings"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Build builds an image with the engine, and calls said with each line of docker's output. It returns ErrUnavailable if
// the engine does not answer, or if the build needs BuildKit and docker has no buildx. The detail of an error is all of
// the output.
func Build(ctx context.Context, b providers.Build, said func(line string)) error {
	cmd := command(ctx, buildArgs(b)...)
	out := &lines{each: said}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = b.Stdin, out, out // one writer, so that the lines keep their order
	err := cmd.Run()
	out.flush()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return fault.WithDetail(located(ctx, buildFailure(out.all.String(), err)), strings.TrimSpace(out.all.String()))
}

func buildArgs(b providers.Build) []string {
	args := []string{"build"}
	add := func(flag, value string) {
		if value != "" {
			args = append(args, flag, value)
		}
	}
	for _, tag := range b.Tags {
		add("--tag", tag)
	}
	add("--file", b.File)
	for _, arg := range b.Args {
		add("--build-arg", arg)
	}
	add("--target", b.Target)
	add("--platform", b.Platform)
	return append(args, b.Context)
}

// buildFailure returns the error of a build that printed words. Most of them are those of the programs that the build
// runs, so only docker's own last words are explained.
func buildFailure(words string, err error) error {
	reason := buildReason(words)
	if reason == "" {
		return explain(err.Error(), err)
	}
	failed := errors.New(reason)
	said := saidIn(reason)
	switch {
	case said("requires BuildKit", "buildx component is missing", "buildx isn't installed"):
		return fault.WithHint(fault.Errorf(fault.ErrUnavailable, "the build needs BuildKit, and docker has no buildx: %w", failed),
			"install buildx: https://docs.docker.com/go/buildx/; check it: docker buildx version")
	case errors.Is(err, exec.ErrNotFound), unanswered(LastLines(words, 1)):
		return explain(reason, failed)
	}
	return withHint(failed, fault.MachineHint(reason))
}

// buildReason returns why a build failed: the last error of docker, or else its last lines.
func buildReason(words string) string {
	reason := ""
	for line := range strings.Lines(words) {
		if said, ok := strings.CutPrefix(strings.TrimSpace(line), "ERROR: "); ok {
			reason = said
		}
	}
	if reason != "" {
		return reason
	}
	return LastLines(words, 3)
}

// lines calls a function with each line that is written to it, and keeps all of them.
type lines struct {
	each    func(string)
	all     bytes.Buffer
	partial string
}

// Write implements [io.Writer].
func (l *lines) Write(p []byte) (int, error) {
	l.all.Write(p)
	whole := strings.Split(l.partial+string(p), "\n")
	l.partial = whole[len(whole)-1]
	for _, line := range whole[:len(whole)-1] {
		l.say(line)
	}
	return len(p), nil
}

// flush ends the last line.
func (l *lines) flush() {
	l.say(l.partial)
	l.partial = ""
}

func (l *lines) say(line string) {
	if line = strings.TrimSpace(line); line != "" && l.each != nil {
		l.each(line)
	}
}
