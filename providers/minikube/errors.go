package minikube

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/cause"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// errMute is the error of a program that succeeds and is not minikube.
var errMute = errors.New("it exited without any output in the format of minikube")

// lastWords is how many lines of minikube's output an error contains.
const lastWords = 8

// failure returns why minikube failed: its own error event, with its advice as the hint, or
// else its exit status and its last lines.
func (l *listener) failure(exit error, stderr string) error {
	if l.fatal.Type == "" {
		words := lastLines(strings.Join(append(l.words, stderr), "\n"), lastWords)
		switch {
		case words == "":
			return unexpected(exit)
		case strings.Contains(words, "unknown flag: ") || strings.Contains(words, "invalid argument "):
			return invalid("%s", words)
		}
		said, _ := cause.Reason(words)
		// The last line may be docker's.
		return unexpected(docker.Explain("exec", words, fault.WithDetail(fmt.Errorf("%w: %s", exit, said), words)))
	}
	data := l.fatal.Data
	err := fault.WithDetail(errors.New(cmp.Or(essence(data.Message), data.Name)), strings.TrimSpace(data.Message))
	if kind := kindOf(data.ExitCode); kind != nil {
		err = fault.Errorf(kind, "%w", err)
	}
	if data.URL != "" {
		err = fault.WithHint(err, "see %s", data.URL)
	}
	if advice := l.advice(); advice != "" {
		return fault.WithHint(err, "%s", advice)
	}
	if said, ok := docker.Daemon(data.Message); ok {
		return docker.Explain("", said, err)
	}
	return err
}

func unexpected(err error) error {
	return fault.WithHint(fmt.Errorf("minikube: %w", err), "read the logs: minikube logs; check this machine: lab doctor")
}

// kindOf returns the kind of error for an exit code of minikube, or nil. The tens of a code say
// what failed, the ones how.
func kindOf(exitCode string) error {
	code, err := strconv.Atoi(exitCode)
	if err != nil || code < 10 || code > 119 {
		return nil
	}
	const (
		usage       = 4
		unsupported = 6
		program     = 1 // the ten of minikube itself
		host        = 3
		internet    = 4
		driver      = 5
		provider    = 6
		running     = 3
		notFound    = 5
		permission  = 7
		unavailable = 9
	)
	ten, how := code/10, code%10
	switch {
	case how == usage && (ten == program || ten == host || ten == driver):
		return fault.ErrInvalid
	case how == unsupported:
		return fault.ErrUnsupported
	case ten == internet, ten == 2:
		return fault.ErrUnavailable
	case (ten == driver || ten == provider) && (how == running || how == notFound || how == permission || how == unavailable):
		return fault.ErrUnavailable
	}
	return nil
}

// advice returns minikube's advice for an error or, if it is about flags that lab does not
// have, how to do the same with lab.
func (l *listener) advice() string {
	data := l.fatal.Data
	advice := strings.Join(strings.Fields(data.Advice), " ")
	switch {
	case data.Name == "DRV_AS_ROOT":
		return "run lab as a user who may use Docker, not as root; or override this check of minikube: export MINIKUBE_FORCE=true"
	case data.Name == "K8S_NEW_UNSUPPORTED" || strings.Contains(data.Message, "repos/kubernetes/kubernetes/releases"):
		return "use a version that this minikube supports: --kubernetes-version VERSION; or override this check: export MINIKUBE_FORCE=true"
	case advice != "" && data.URL != "":
		return advice + " (" + data.URL + ")"
	}
	return advice
}

// essence returns the reason in a message: minikube prefixes it with the command that failed,
// which may have a hundred arguments, and with its whole output.
func essence(message string) string {
	_, stderr, ok := strings.Cut(message, "stderr:")
	if said, _ := cause.Reason(docker.LastLines(stderr, lastWords)); ok && said != "" {
		first, _, _ := strings.Cut(message, ": ")
		return first + ": " + said
	}
	return lastLines(message, lastWords)
}

// lastLines returns the last n meaningful lines, without emoji and without minikube's
// timestamps.
func lastLines(text string, n int) string {
	var kept []string
	clock := regexp.MustCompile(`^[IWEF]\d{4} \d{2}:\d{2}:\d{2}\.\d+\s+\d+ \S+\] `)
	for line := range strings.Lines(docker.LastLines(text, 4*n)) {
		if line = clock.ReplaceAllString(strings.TrimSpace(line), ""); strings.Trim(line, "*-│╭╮╰╯─ ") != "" {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept[max(0, len(kept)-n):], "\n")
}
