// Package docker asks the Docker Engine through the docker command, as kind does. So contexts,
// DOCKER_HOST, TLS and ssh work as the user has configured them, and lab and its tools use the
// same engine.
package docker

import (
	"bytes"
	"context"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// patience bounds how long an engine may take to answer: far more than it needs on a busy
// machine.
const patience = 15 * time.Second

// Engine is what lab needs to know about a Docker Engine.
type Engine struct {
	Version  string
	Memory   int64 // available to its containers, in bytes; 0 if unknown
	CgroupV1 bool  // it has the version of cgroups that Kubernetes 1.35 and newer rejects by default
}

// Ping returns the engine if it answers. Otherwise it returns ErrUnavailable, with the hint
// that fixes it on this system.
func Ping(ctx context.Context) (Engine, error) {
	out, err := ask(ctx, "info", "--format", "{{.ServerVersion}} {{.CgroupVersion}} {{.MemTotal}}")
	if err != nil {
		return Engine{}, err
	}
	words := append(strings.Fields(string(out)), "", "", "")
	if words[0] == "" { // some versions of docker print nothing and succeed
		return Engine{}, notRunning("the Docker Engine does not answer")
	}
	memory, _ := strconv.ParseInt(words[2], 10, 64)
	return Engine{Version: words[0], CgroupV1: words[1] == "1", Memory: memory}, nil
}

// ask runs a docker command that changes nothing. If the engine hangs, ask returns
// ErrUnavailable after a while.
func ask(ctx context.Context, args ...string) ([]byte, error) {
	return askWithin(ctx, patience, args...)
}

func askWithin(ctx context.Context, limit time.Duration, args ...string) ([]byte, error) {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	out, err := run(limited, args...)
	if limited.Err() != nil && ctx.Err() == nil {
		return nil, located(ctx, fault.WithHint(
			fault.Errorf(fault.ErrUnavailable, "the Docker Engine %w within %s", errSlow, limit), "%s", startHint(true)))
	}
	return out, err
}

// errSlow is the error of an engine that exists and may answer later.
var errSlow = errors.New("did not answer")

// Gone reports whether err says that the engine does not exist any more.
func Gone(err error) bool {
	return errors.Is(err, fault.ErrUnavailable) && !errors.Is(err, errSlow)
}

// run runs the docker command and returns its output, also if it fails.
func run(ctx context.Context, args ...string) ([]byte, error) { return feed(ctx, nil, args...) }

// feed is run with input for the command.
func feed(ctx context.Context, stdin io.Reader, args ...string) ([]byte, error) {
	var stdout bytes.Buffer
	err := pipe(ctx, stdin, &stdout, args...)
	return stdout.Bytes(), err
}

// pipe runs the docker command, which reads stdin and writes to stdout; each may be nil.
func pipe(ctx context.Context, stdin io.Reader, stdout io.Writer, args ...string) error {
	var stderr bytes.Buffer
	cmd := command(ctx, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, &stderr
	err := cmd.Run()
	return failure(ctx, args[0], stderr.String(), err)
}

// failure returns why a docker command failed that wrote said to stderr.
func failure(ctx context.Context, command, said string, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case strings.TrimSpace(said) == "":
		return located(ctx, Explain(command, err.Error(), err))
	}
	return located(ctx, Explain(command, LastLines(said, 3), errors.New(LastLines(said, 3))))
}

// LastLines returns the last n meaningful lines of a command's output. It skips empty lines,
// IDs of containers, docker's advice on its own usage, and a warning that containerd's ctr
// prints before the reason of a failure.
func LastLines(text string, n int) string {
	var lines []string
	for line := range strings.Lines(withoutIDs(text)) {
		line = strings.TrimRight(line, " \r\n")
		if line != "" && !isID(line) && !strings.Contains(line, "'docker run --help'") && !strings.Contains(line, "level=warning") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// withoutIDs removes the IDs that the engine appends to names.
func withoutIDs(text string) string {
	return regexp.MustCompile(` \([0-9a-f]{64}\)`).ReplaceAllString(text, "")
}

// isID reports whether a line is the ID of a container.
func isID(line string) bool {
	return len(line) == 64 && strings.Trim(line, "0123456789abcdef") == ""
}
