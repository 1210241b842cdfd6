package providertest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// onKubeconfig seeds a bug that replaces text of the kubeconfig.
func onKubeconfig(text, replacement string) func(*mutant) {
	return func(m *mutant) {
		m.kubeconfig = func(ctx context.Context, ref providers.Ref) ([]byte, error) {
			k, err := m.fake.Kubeconfig(ctx, ref)
			return bytes.ReplaceAll(k, []byte(text), []byte(replacement)), err
		}
	}
}

func bugsOfKubeconfig() map[string]bug {
	return map[string]bug{
		"has no current context": {onKubeconfig("current-context:", "preferred-context:"),
			"a cluster/by its kubeconfig/has one context, which is current"},
		"announces another user": {func(m *mutant) {
			m.entries = func(name string) providers.Entries {
				e := m.fake.Entries(name)
				e.User = "admin@" + e.User
				return e
			}
		}, "a cluster/by its kubeconfig/has the entries that Entries returns"},
		"refers to a file": {onKubeconfig("token: not-a-secret", "client-key: /root/key.pem"),
			"a cluster/by its kubeconfig/needs no file and no command"},
		"runs a command to log in": {onKubeconfig("token: not-a-secret", "exec: {command: login}"),
			"a cluster/by its kubeconfig/needs no file and no command"},
		"trusts anybody": {onKubeconfig("server:", "insecure-skip-tls-verify: true\n    server:"),
			"a cluster/by its kubeconfig/trusts the cluster's own authority alone"},
		"has an invalid certificate authority": {onKubeconfig("authority-data: ", "authority-data: AAAA"),
			"a cluster/by its kubeconfig/trusts the cluster's own authority alone"},
		"names the context by itself": {onKubeconfig("fake-", "lab-"),
			"a cluster/by its kubeconfig/has the context name of the tool"},
		"does not say which archive": {func(m *mutant) {
			m.loadImages = func(ctx context.Context, ref providers.Ref, archive string) error {
				err := m.fake.LoadImages(ctx, ref, archive)
				if err != nil && !errors.Is(err, fault.ErrNotFound) {
					return errors.New("cannot load images")
				}
				return err
			}
		}, "a cluster/loading images/names a missing archive"},
		"cannot load images": {func(m *mutant) {
			m.loadImages = func(ctx context.Context, ref providers.Ref, archive string) error {
				return cmp.Or(m.fake.LoadImages(ctx, ref, archive), errors.New("exit status 1"))
			}
		}, "a cluster/loading images/loads an archive"},
		"saves images that do not exist": {func(m *mutant) {
			m.saveImages = func(ctx context.Context, images []string, archive string) error {
				return cmp.Or(ignoreNotFound(m.fake.SaveImages(ctx, images, archive)), os.WriteFile(archive, nil, 0o600))
			}
		}, "a cluster/loading images/reports missing images as not found"},
		"leaves half an archive": {func(m *mutant) {
			m.saveImages = func(ctx context.Context, images []string, archive string) error {
				return cmp.Or(os.WriteFile(archive, nil, 0o600), m.fake.SaveImages(ctx, images, archive))
			}
		}, "a cluster/loading images/reports missing images as not found"},
		"saves nothing": {func(m *mutant) {
			m.saveImages = func(ctx context.Context, images []string, _ string) error {
				return m.fake.SaveImages(ctx, images, filepath.Join(string(m.fake.machine), "elsewhere"))
			}
		}, "a cluster/loading images/loads images of the machine"},
		"exports no logs": {func(m *mutant) {
			m.exportLogs = func(ctx context.Context, ref providers.Ref, _ string) error {
				_, err := m.fake.machine.load(ref.Name)
				return err
			}
		}, "a cluster/writes logs"},
	}
}

// unless returns bad if the cluster is in that state, else what good returns.
func (m *mutant) unless(state providers.State, name string, bad error, good func() error) error {
	if r, err := m.fake.machine.load(name); err == nil {
		if now, _ := m.fake.machine.state(r); now == state {
			return bad
		}
	}
	return good()
}

// bugsOfPower returns bugs in Stop, in Start and in a broken cluster.
func bugsOfPower() map[string]bug {
	refused := errors.New("refused")
	return map[string]bug{
		"cannot stop": {onStop(providers.StateRunning, refused), "a cluster/once stopped/stops"},
		"does not stop": {onStop(providers.StateRunning, nil),
			"a cluster/once stopped/is listed as stopped, and the same"},
		"leaves the API server on": {onStop(providers.StateRunning, nil), "a cluster/once stopped/stops the API server"},
		"forgets the ID on stop": {func(m *mutant) {
			m.stop = func(ctx context.Context, ref providers.Ref) error {
				return cmp.Or(m.fake.Stop(ctx, ref), m.fake.machine.Remake(ref.Name))
			}
		}, "a cluster/once stopped/is listed as stopped, and the same"},
		"cannot stop twice": {onStop(providers.StateStopped, refused), "a cluster/once stopped/can be stopped again"},
		"needs a running cluster for a kubeconfig": {func(m *mutant) {
			m.kubeconfig = func(ctx context.Context, ref providers.Ref) (k []byte, err error) {
				err = m.unless(providers.StateStopped, ref.Name, refused, func() (err error) {
					k, err = m.fake.Kubeconfig(ctx, ref)
					return err
				})
				return k, err
			}
		}, "a cluster/once stopped/keeps its kubeconfig"},
		"needs a running cluster for logs": {func(m *mutant) {
			m.exportLogs = func(ctx context.Context, ref providers.Ref, dir string) error {
				return m.unless(providers.StateStopped, ref.Name, refused,
					func() error { return m.fake.ExportLogs(ctx, ref, dir) })
			}
		}, "a cluster/once stopped/keeps its logs"},
		"starts a stopped cluster instead of refusing its name": {onCreate(func(m *mutant, good create) create {
			return func(ctx context.Context, s providers.Spec, r event.Reporter) error {
				return m.unless(providers.StateStopped, s.Name, nil, func() error { return good(ctx, s, r) })
			}
		}), "a cluster/once stopped/keeps its name"},
		"cannot start": {onStart(providers.StateStopped, refused), "a cluster/once started again/starts"},
		"does not start": {onStart(providers.StateStopped, nil),
			"a cluster/once started again/runs, and is the same"},
		"starts another": {func(m *mutant) {
			m.start = func(ctx context.Context, ref providers.Ref, r event.Reporter) error {
				return cmp.Or(m.fake.Start(ctx, ref, r), m.fake.machine.Remake(ref.Name))
			}
		}, "a cluster/once started again/runs, and is the same"},
		"cannot start twice": {onStart(providers.StateRunning, refused),
			"a cluster/once started again/can be started again, without a Reporter"},
		"does not see that its engine is dead": {onEach(func(_ *mutant, c *providers.Cluster) {
			if c.State == providers.StateDegraded {
				c.State, c.Reason = providers.StateRunning, ""
			}
		}), "a cluster/with its engine dead/is listed as degraded, and the same"},
		"does not say what is wrong": {onEach(func(_ *mutant, c *providers.Cluster) { c.Reason = "" }),
			"a cluster/with its engine dead/is listed as degraded, and the same"},
		"does not repair": {onStart(providers.StateDegraded, nil),
			"a cluster/with its engine dead/is repaired by a start"},
	}
}

// onStop seeds a Stop that only returns err where the cluster is in that state.
func onStop(state providers.State, err error) func(*mutant) {
	return func(m *mutant) {
		m.stop = func(ctx context.Context, ref providers.Ref) error {
			return m.unless(state, ref.Name, err, func() error { return m.fake.Stop(ctx, ref) })
		}
	}
}

// onStart is onStop for Start.
func onStart(state providers.State, err error) func(*mutant) {
	return func(m *mutant) {
		m.start = func(ctx context.Context, ref providers.Ref, r event.Reporter) error {
			return m.unless(state, ref.Name, err, func() error { return m.fake.Start(ctx, ref, r) })
		}
	}
}
