//go:build !windows

package nodes

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker/dockertest"
)

// scripted returns a creation that records calls, and fails as fail says.
func scripted(calls *[]string, fail map[string]error) Creation {
	note := func(name string) error {
		*calls = append(*calls, name)
		return fail[name]
	}
	return Creation{
		Spec: providers.Spec{Name: "lab", Native: []byte("x")}, Named: "other", InDocker: true,
		CheckFree:  func(context.Context) error { return note("check") },
		Adapt:      func(context.Context, event.Reporter) error { return note("adapt") },
		Run:        func(context.Context, event.Reporter) error { return note("run") },
		Finish:     func(context.Context) error { return note("finish") },
		ExportLogs: func(context.Context, string) error { return note("logs") },
		Remove: func(_ context.Context, failed error, interrupted bool) error {
			text := "remove because of " + failed.Error()
			if interrupted {
				text += ", interrupted"
			}
			return note(strings.SplitN(text, "\n", 2)[0])
		},
	}
}

func TestCreateOrder(t *testing.T) {
	broke := errors.New("it broke")
	taken := fault.Errorf(fault.ErrExists, "taken")
	for name, test := range map[string]struct {
		fail map[string]error
		want string
		says string
	}{
		"succeeds":            {nil, "check adapt check run finish", ""},
		"the name is taken":   {map[string]error{"check": taken}, "check", "taken"},
		"no engine":           {map[string]error{"adapt": broke}, "check adapt", "it broke"},
		"the tool fails":      {map[string]error{"run": broke}, "check adapt check run logs remove because of it broke", "it broke"},
		"finishing fails":     {map[string]error{"finish": broke}, "check adapt check run finish logs remove because of it broke", "it broke"},
		"another was faster":  {map[string]error{"run": taken}, "check adapt check run remove because of taken", "taken"},
		"and leaves leftover": {map[string]error{"run": taken, "remove because of taken": broke}, "check adapt check run remove because of taken", "taken\ncannot remove all leftovers: it broke"},
	} {
		dockertest.Script(t, dockertest.Having(t, started(node("control-plane", "running")))...)
		var calls []string
		c := scripted(&calls, test.fail)
		c.Spec.LogsDir = t.TempDir()
		err := tool().Create(t.Context(), c, nil)
		if diff := cmp.Diff(test.want, strings.Join(calls, " ")); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", name, diff)
		}
		if got := errText(err); !strings.HasPrefix(got, test.says) || (got == "") != (test.says == "") {
			t.Errorf("%s: %q, want %q", name, got, test.says)
		}
	}
}

// TestCreateInterrupted checks that a cancelled creation is undone, without logs.
func TestCreateInterrupted(t *testing.T) {
	dockertest.Script(t, dockertest.Having(t, started(node("control-plane", "running")))...)
	ctx, cancel := context.WithCancel(t.Context())
	var calls []string
	c := scripted(&calls, nil)
	c.Run = func(context.Context, event.Reporter) error { cancel(); return errors.New("cut short") }
	if err := tool().Create(ctx, c, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want Canceled", err)
	}
	want := "check adapt check remove because of context canceled, interrupted"
	if diff := cmp.Diff(want, strings.Join(calls, " ")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	calls = nil
	if err := tool().Create(ctx, c, nil); !errors.Is(err, context.Canceled) || len(calls) > 0 {
		t.Errorf("cancelled before: %v; calls: %q", err, calls)
	}
}

// TestCreateWarnsOfName checks that a name in the tool's own configuration is not ignored
// silently.
func TestCreateWarnsOfName(t *testing.T) {
	dockertest.Script(t, dockertest.Answer{Args: "ps"})
	var warnings, calls []string
	err := tool().Create(t.Context(), scripted(&calls, nil), func(e event.Event) {
		if e.State == event.Warning {
			warnings = append(warnings, e.Cluster+": "+e.Message)
		}
	})
	want := []string{`lab: the configuration for tool names the cluster "other"; lab creates "lab"`}
	if err != nil || !slices.Equal(warnings, want) {
		t.Errorf("%q, %v", warnings, err)
	}
}
