package kwok

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/clusterlab-dev/lab/providers"
)

func reinstall(err error) error {
	return providers.WithHint(err, "in a checkout of lab: make install")
}

// cannotRun explains why the program at path cannot be used.
func cannotRun(path string, err error) error {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		if said := lastLines(exit.Stderr, 1); said != "" {
			err = fmt.Errorf("%w: %s", err, said)
		}
	}
	var operation *fs.PathError // its path would stand in the message twice
	if errors.As(err, &operation) {
		err = operation.Err
	}
	return reinstall(providers.Errorf(providers.ErrUnavailable, "%s cannot be used: %w", path, err))
}

// cannotWrite explains an error of the directory in which clusters are kept.
func cannotWrite(dir string, err error) error {
	hint := "lab keeps kwok clusters in %s: see that it can be written to, or set LAB_HOME to a directory that can"
	if errors.Is(err, syscall.ENOSPC) {
		hint = "free some space on the disk that holds %s"
	}
	return providers.WithHint(fmt.Errorf("cannot keep a cluster there: %w", err), hint, dir)
}

// remedy is what helps against a failure, whose cause it knows by the words in
// which the operating system puts it.
func remedy(words, dir string) string {
	switch {
	case strings.Contains(words, "no space left on device"):
		return "free some space on the disk that holds " + dir
	case strings.Contains(words, "too many open files"):
		return "allow more open files: ulimit -n 65536"
	case strings.Contains(words, "signal: killed"):
		return "the machine may be short of memory: stop another cluster with lab stop"
	}
	return "lab doctor tells what may be wrong with this machine"
}

// lastWords returns the few lines of an engine's logs that tell why it died, or
// "". A panic says so at its beginning, all else at its end.
func lastWords(dir string) string {
	const lines = 5
	crash := readTail(filepath.Join(dir, "logs", "panic.log"))
	for _, mark := range []string{"panic: ", "fatal error: "} {
		if _, after, ok := bytes.Cut(crash, []byte(mark)); ok {
			return firstLines(append([]byte(mark), after...), lines)
		}
	}
	if said := lastLines(readTail(filepath.Join(dir, "logs", "engine.log")), lines); said != "" {
		return said
	}
	return lastLines(crash, lines)
}

// readTail returns the end of a file, which may be long, or nothing.
func readTail(path string) []byte {
	const enough = 64 << 10
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Size() > enough {
		if _, err := file.Seek(-enough, io.SeekEnd); err != nil {
			return nil
		}
	}
	tail, _ := io.ReadAll(io.LimitReader(file, enough))
	return tail
}

func firstLines(text []byte, n int) string {
	lines := strings.SplitN(string(text), "\n", n+1)
	return strings.TrimSpace(strings.Join(lines[:min(n, len(lines))], "\n"))
}

func lastLines(text []byte, n int) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
