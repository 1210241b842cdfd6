package addontest

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/clusterlab-dev/lab/addons"
)

// Wait implements [addons.Checker]. An addon works unless SetMissing was called.
func (f Fake) Wait(ctx context.Context, c addons.Cluster, a addons.Addon, in addons.Installed, moved func(string)) error {
	missing, err := f.Look(ctx, c, a, in)
	if missing == "" || err != nil {
		return err
	}
	if moved != nil {
		moved(missing)
	}
	<-ctx.Done()
	return &notWorking{a.Name, missing, ctx.Err()}
}

// Look implements [addons.Checker].
func (f Fake) Look(ctx context.Context, _ addons.Cluster, a addons.Addon, _ addons.Installed) (string, error) {
	data, err := os.ReadFile(f.missingFile(a.Name))
	if os.IsNotExist(err) {
		return "", ctx.Err()
	}
	return strings.TrimSpace(string(data)), err
}

// Ingress implements [addons.Checker]. A controller serves them if a file says so: see
// [Fake.ServeIngress].
func (f Fake) Ingress(context.Context, addons.Cluster, int) (bool, error) {
	_, err := os.Stat(f.missingFile("ingress-served"))
	return err == nil, nil
}

// ServeIngress simulates an installed ingress controller.
func (f Fake) ServeIngress() error { return f.SetMissing("ingress-served", "nothing") }

// SetMissing sets what an addon lacks; "" if it works.
func (f Fake) SetMissing(addon, missing string) error {
	if missing == "" {
		return os.RemoveAll(f.missingFile(addon))
	}
	if err := os.MkdirAll(filepath.Dir(f.missingFile(addon)), 0o700); err != nil {
		return err
	}
	return os.WriteFile(f.missingFile(addon), []byte(missing), 0o600)
}

func (f Fake) missingFile(addon string) string { return filepath.Join(f.dir, "missing", addon) }

// Forward implements [addons.Checker]. Nothing listens on the address.
func (f Fake) Forward(ctx context.Context, _ addons.Cluster, _ string, _ addons.Endpoint, ready func(string)) error {
	ready("127.0.0.1:1")
	<-ctx.Done()
	return nil
}

// Credentials implements [addons.Checker].
func (f Fake) Credentials(context.Context, addons.Cluster, string, addons.Credentials) (user, password string, err error) {
	return "admin", "secret", nil
}

type notWorking struct {
	name, missing string
	cause         error
}

func (n *notWorking) Error() string {
	return n.name + " is not ready: " + n.missing + ": " + n.cause.Error()
}
func (n *notWorking) Unwrap() error { return n.cause }

// Source is an [addons.Source] that has every chart.
type Source struct{}

// Chart implements [addons.Source].
func (Source) Chart(ctx context.Context, c addons.Chart) (addons.Archive, error) {
	version := c.Version
	if version == "" {
		version = "0.1.0"
	}
	return Chart("any", strings.TrimPrefix(version, "v"), map[string]string{
		"templates/map.yaml": ConfigMap("settings", c.String()),
	}), ctx.Err()
}
