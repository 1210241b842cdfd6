package docker

import (
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
)

// Exec runs a command in a running container. stdin and stdout may be nil. The error contains
// the last lines of the command's output.
func Exec(ctx context.Context, id string, stdin io.Reader, stdout io.Writer, command ...string) error {
	args := []string{"exec"}
	if stdin != nil {
		args = append(args, "--interactive")
	}
	return pipe(ctx, stdin, stdout, append(append(args, id), command...)...)
}

// Programs returns the names of the running programs in a container.
func Programs(ctx context.Context, id string) ([]string, error) {
	out, err := ask(ctx, "top", id, "-o", "pid,comm") // docker requires the pid, too
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

// Logs writes the last lines of the output of a container in any state; all of it if lines is
// 0.
func Logs(ctx context.Context, id string, lines int, w io.Writer) error {
	tail := "all"
	if lines > 0 {
		tail = strconv.Itoa(lines)
	}
	cmd := command(ctx, "logs", "--tail", tail, id)
	cmd.Stdout, cmd.Stderr = w, w // docker keeps the two apart as the container did
	err := cmd.Run()
	return failure(ctx, "logs", "", err)
}

// WriteLog has write fill a file. If that fails, the file contains the reason, so that readers
// of saved logs know what is missing. Errors are those of the file, and ctx's.
func WriteLog(ctx context.Context, path string, write func(w io.Writer) error) (err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if failed := write(file); failed != nil {
		_, err = file.WriteString(failed.Error() + "\n")
	}
	return errors.Join(err, ctx.Err())
}

// CopyOut copies a file or directory of a container, running or not, to this machine.
func CopyOut(ctx context.Context, id, path, to string) error {
	_, err := run(ctx, "cp", id+":"+path, to)
	return err
}
