package kwok

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// reinstall adds the hint that installs lab-engine.
func reinstall(err error) error {
	return fault.WithHint(err, "in a checkout of lab, run: make install")
}

// cannotRun returns the ErrUnavailable of a program that cannot be run.
func cannotRun(path string, err error) error {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		if line := lastLines(exit.Stderr, 1); line != "" {
			err = fmt.Errorf("%w: %s", err, line)
		}
	}
	var operation *fs.PathError // whose path is in the message already
	if errors.As(err, &operation) {
		err = operation.Err
	}
	return reinstall(fault.Errorf(fault.ErrUnavailable, "cannot run %s: %w", path, err))
}

// cannotWrite adds a hint to an error of the directory of all clusters.
func cannotWrite(dir string, err error) error {
	hint := "make %s writable, or choose another directory: export LAB_HOME=DIR"
	if errors.Is(err, syscall.ENOSPC) {
		hint = "free space on the disk of %s"
	}
	return fault.WithHint(fmt.Errorf("cannot write the files of the cluster: %w", err), hint, dir)
}

// lastWords returns the last lines of an engine's log and the message of its panic, or "" if there are
// none.
func lastWords(dir string) string {
	log, crash := logTails(dir)
	words := lastLines(log, 5)
	if message := panicMessage(crash); message != "" {
		return strings.TrimSpace(words + "\n" + message)
	}
	return cmp.Or(words, lastLines(crash, 5))
}

// remedy returns the hint for a failure. It recognizes the cause by error messages of the operating
// system, in failure and in the logs of the engine.
func remedy(failure error, dir string) string {
	log, crash := logTails(dir)
	said := func(words string) bool {
		return strings.Contains(failure.Error(), words) ||
			bytes.Contains(log, []byte(words)) || bytes.Contains(crash, []byte(words))
	}
	room := "free space on the disk of " + filepath.Dir(dir)
	switch {
	case strings.Contains(failure.Error(), syscall.ENOSPC.Error()): // before pki/: a full disk damages no key
		return room
	case strings.Contains(failure.Error(), " pki/"): // a key or a certificate, which the engine never replaces
		return fmt.Sprintf("make the file in %s readable, restore it from a backup, or recreate the cluster (its contents are lost): lab up %s --recreate",
			dir, filepath.Base(dir))
	case said(syscall.ENOSPC.Error()):
		return room
	case said(syscall.EMFILE.Error()), said("file descriptor limit"): // the latter is etcd's
		return "raise the limit of open files: ulimit -n 65536"
	case said("signal: killed"):
		return "free memory (a cluster needs about 400 MB), for example by stopping another cluster: lab stop NAME"
	}
	return "run the command again with -v, which prints the output of lab-engine"
}

// logTails returns the end of the log, and of the output of the engine. The output is read further
// back, because a stack trace is long and the message is before it.
func logTails(dir string) (log, crash []byte) {
	logs := filepath.Join(dir, "logs")
	return tail(filepath.Join(logs, "engine.log"), 4<<10), tail(filepath.Join(logs, "panic.log"), 1<<20)
}

// tail returns the last n bytes of a file, or nothing if it cannot be read.
func tail(path string, n int64) []byte {
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Size() > n {
		if _, err := file.Seek(-n, io.SeekEnd); err != nil {
			return nil
		}
	}
	end, _ := io.ReadAll(io.LimitReader(file, n))
	return end
}

// panicMessage returns the message that Go prints before the stack trace of a crash, or "".
func panicMessage(crash []byte) string {
	for _, mark := range []string{"panic: ", "fatal error: "} {
		if _, after, ok := strings.Cut(string(crash), mark); ok {
			message, _, _ := strings.Cut(mark+after, "\n\n")
			return message
		}
	}
	return ""
}

// lastLines returns the last n lines of text.
func lastLines(text []byte, n int) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
