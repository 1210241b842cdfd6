package ui

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

var errTest = errors.New("it broke")

func TestClassify(t *testing.T) {
	t.Parallel()
	slow := fault.Errorf(fault.ErrUnavailable, "the engine did not answer in 2s: %w", context.DeadlineExceeded)
	for _, test := range []struct {
		name   string
		err    error
		code   int
		reason string
	}{
		{"nil", nil, 0, ""},
		{"without a kind", errTest, 1, "Failed"},
		{"invalid", fault.ErrInvalid, 2, "Invalid"},
		{"not found", fault.ErrNotFound, 3, "NotFound"},
		{"exists", fault.ErrExists, 4, "AlreadyExists"},
		{"foreign", fault.ErrForeign, 4, "Foreign"},
		{"unavailable", fault.ErrUnavailable, 5, "Unavailable"},
		{"unsupported", fault.ErrUnsupported, 6, "Unsupported"},
		{"timeout", context.DeadlineExceeded, 7, "Timeout"},
		{"interrupt", context.Canceled, 130, "Interrupted"},

		{"wrapped as Set does", &providers.Error{Op: "delete", Err: fault.WithHint(
			fault.Errorf(fault.ErrNotFound, "no such cluster"), "lab list")}, 3, "NotFound"},
		{"an interrupt within", fault.Errorf(fault.ErrUnavailable, "docker pull: %w", context.Canceled), 130, "Interrupted"},
		{"an interrupt beside", errors.Join(fault.ErrInvalid, fmt.Errorf("a: %w", context.Canceled)), 130, "Interrupted"},
		{"unavailable after a timeout", slow, 5, "Unavailable"},
		{"a timeout of waiting for it", fmt.Errorf("%w: %w", context.DeadlineExceeded, slow), 7, "Timeout"},
		{"a kind that replaces another", fault.Errorf(fault.ErrInvalid, "no such profile: %w", fault.ErrNotFound), 2, "Invalid"},
		{"at the same depth, timeout", errors.Join(fault.ErrUnavailable, context.DeadlineExceeded), 7, "Timeout"},
		{"at the same depth, foreign", errors.Join(fault.ErrExists, fault.ErrForeign), 4, "Foreign"},
		{"an error with a method Is", fmt.Errorf("get: %w", netTimeout{}), 7, "Timeout"},
	} {
		if code, reason := Classify(test.err); code != test.code || reason != test.reason {
			t.Errorf("%s: %d %s, want %d %s", test.name, code, reason, test.code, test.reason)
		}
	}
}

// netTimeout is like the errors of net/http.
type netTimeout struct{ _ []string } // not comparable, which must not cause a panic

func (netTimeout) Error() string           { return "timeout" }
func (netTimeout) Is(target error) bool    { return target == context.DeadlineExceeded }
func (netTimeout) Unwrap() (nothing error) { return nil }

// failures returns errors as adapters return them.
func failures() map[string]error {
	var log strings.Builder
	for i := range 40 {
		fmt.Fprintf(&log, "\nline %d", i)
	}
	unavailable := fault.WithHint(
		fault.Errorf(fault.ErrUnavailable, "Docker does not answer"),
		"start it, then try again:\n  sudo systemctl start docker")
	tool := errors.New("kind exited with 1:\r\n\x1b[31m ✗ Preparing nodes\x1b[0m\r\n10 %\r100 %\r\n\nERROR: no space left on device <here>\r\n\r\n")
	return map[string]error{
		"short":       errTest,
		"unavailable": &providers.Error{Op: "create", Provider: "kind", Cluster: "lab", Err: unavailable},
		"tool":        &providers.Error{Op: "create", Provider: "kind", Cluster: "lab", Err: fault.WithHint(tool, "docker system prune")},
		"long":        errors.New("kubeadm failed:" + log.String()),
		"detail":      fault.WithDetail(errTest, "I1124 a line of the tool\nerror: another"),
		"timeout":     fmt.Errorf("wait for the nodes: %w", context.DeadlineExceeded),
		"interrupted": &providers.Error{Op: "create", Cluster: "lab", Err: context.Canceled},
	}
}

func TestRenderError(t *testing.T) {
	t.Parallel()
	for name, err := range failures() {
		for _, test := range []struct {
			name    string
			width   int
			options ErrorOptions
		}{
			{"human", 0, ErrorOptions{}},
			{"color", 80, ErrorOptions{}},
			{"verbose", 0, ErrorOptions{Verbose: true}},
			{"json", 80, ErrorOptions{JSON: true}},
		} {
			t.Run(name+"-"+test.name, func(t *testing.T) {
				t.Parallel()
				streams, stdout, stderr := Test(test.width, utf8())
				RenderError(streams, err, test.options)
				golden(t, "error-"+name+"-"+test.name+".golden", stderr.String())
				if stdout.Len() > 0 {
					t.Errorf("stdout has %q", stdout)
				}
			})
		}
	}
}

func TestSetLabels(t *testing.T) {
	t.Parallel()
	streams, _, stderr := Test(0, utf8())
	streams.SetLabels(Labels{Error: "ошибка:", Hint: "подсказка:", Warning: "внимание:"})
	progress := NewProgress(streams, ModePlain, ProgressOptions{})
	progress.Warn("low on disk")
	progress.Close()
	RenderError(streams, fault.WithHint(errTest, "fix it\ntry again"), ErrorOptions{})
	if got, want := stderr.String(), "внимание: low on disk\nошибка: it broke\nподсказка: fix it\n           try again\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestJSONErrorIsOneLine checks that the error is one line, because scripts read the last line
// of stderr.
func TestJSONErrorIsOneLine(t *testing.T) {
	t.Parallel()
	for name, err := range failures() {
		streams, _, stderr := Test(0, nil)
		RenderError(streams, err, ErrorOptions{JSON: true})
		if strings.Count(stderr.String(), "\n") != 1 || !json.Valid(stderr.Bytes()) {
			t.Errorf("%s: %q is not one line of JSON", name, stderr)
		}
	}
}

func TestNilErrorPrintsNothing(t *testing.T) {
	t.Parallel()
	streams, _, stderr := Test(0, nil)
	RenderError(streams, nil, ErrorOptions{})
	RenderError(streams, nil, ErrorOptions{JSON: true})
	if stderr.Len() > 0 {
		t.Errorf("no error prints %q", stderr)
	}
}
