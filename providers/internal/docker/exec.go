package docker

import (
	"context"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// Exec runs a command in a container that runs, and gives it stdin to read. An error
// bears the command's last words.
func Exec(ctx context.Context, id string, stdin io.Reader, command ...string) error {
	_, err := feed(ctx, stdin, append([]string{"exec", "--interactive", id}, command...)...)
	return err
}

// Programs returns the names of the programs that run in a container.
func Programs(ctx context.Context, id string) ([]string, error) {
	out, err := ask(ctx, "top", id, "-o", "pid,comm") // it wants the pid, too
	if err != nil {
		return nil, err
	}
	var programs []string
	for line := range strings.Lines(string(out)) {
		if words := strings.Fields(line); len(words) > 1 && words[0] != "PID" {
			programs = append(programs, words[1])
		}
	}
	return programs, nil
}

// Logs writes the last lines of what a container said, in whatever state it is; all of
// them where lines is 0.
func Logs(ctx context.Context, id string, lines int, w io.Writer) error {
	tail := "all"
	if lines > 0 {
		tail = strconv.Itoa(lines)
	}
	cmd := exec.CommandContext(ctx, "docker", "logs", "--tail", tail, id)
	cmd.Stdout, cmd.Stderr = w, w // docker keeps the two apart as the container did
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	return failure(ctx, "", err)
}

// CopyOut copies a file or directory of a container, which need not run, to this machine.
func CopyOut(ctx context.Context, id, path, to string) error {
	_, err := run(ctx, "cp", id+":"+path, to)
	return err
}
