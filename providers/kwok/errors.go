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

func reinstall(err error) error {
	return fault.WithHint(err, "in a checkout of lab: make install")
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
	return reinstall(fault.Errorf(fault.ErrUnavailable, "%s cannot be used: %w", path, err))
}

// cannotWrite explains an error of the directory in which clusters are kept.
func cannotWrite(dir string, err error) error {
	hint := "lab keeps kwok clusters in %s: see that it can be written to, or set LAB_HOME to a directory that can"
	if errors.Is(err, syscall.ENOSPC) {
		hint = "free some space on the disk that holds %s"
	}
	return fault.WithHint(fmt.Errorf("cannot keep a cluster there: %w", err), hint, dir)
}

// lastWords returns what an engine's logs tell of why it died, or "": the message
// of a panic, and the last lines of its log.
func lastWords(dir string) string {
	log, crash := logTails(dir)
	words := lastLines(log, 5)
	if message := panicMessage(crash); message != "" {
		return strings.TrimSpace(words + "\n" + message)
	}
	return cmp.Or(words, lastLines(crash, 5))
}

// remedy is what helps against a failure, whose cause it knows by the words in
// which the operating system puts it, to us or to the engine.
func remedy(failure error, dir string) string {
	log, crash := logTails(dir)
	said := func(words string) bool {
		return strings.Contains(failure.Error(), words) ||
			bytes.Contains(log, []byte(words)) || bytes.Contains(crash, []byte(words))
	}
	room := "free some space on the disk that holds " + filepath.Dir(dir)
	switch {
	case strings.Contains(failure.Error(), syscall.ENOSPC.Error()): // nothing is lost, whichever file it was
		return room
	case strings.Contains(failure.Error(), " pki/"): // a key or a certificate, which the engine never replaces
		return fmt.Sprintf("make the file in %s readable or restore it from a backup, or recreate the cluster, without its contents: lab up %s --recreate",
			dir, filepath.Base(dir))
	case said(syscall.ENOSPC.Error()):
		return room
	case said(syscall.EMFILE.Error()), said("file descriptor limit"): // the latter is etcd's
		return "allow more open files: ulimit -n 65536"
	case said("signal: killed"):
		return "the machine may be short of memory: a cluster takes some 400 MB; lab stop frees those of another"
	}
	return "try again with -v, which shows all that the engine said"
}

// logTails returns the ends of the log and of what the engine wrote before it
// crashed; a stack trace is long, and what counts stands before it.
func logTails(dir string) (log, crash []byte) {
	logs := filepath.Join(dir, "logs")
	return tail(filepath.Join(logs, "engine.log"), 4<<10), tail(filepath.Join(logs, "panic.log"), 1<<20)
}

// tail returns the end of a file, at most n bytes of it, or nothing.
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

// panicMessage returns what Go says of a crash before the stack trace.
func panicMessage(crash []byte) string {
	for _, mark := range []string{"panic: ", "fatal error: "} {
		if _, after, ok := strings.Cut(string(crash), mark); ok {
			message, _, _ := strings.Cut(mark+after, "\n\n")
			return message
		}
	}
	return ""
}

func lastLines(text []byte, n int) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
