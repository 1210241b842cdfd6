package addontest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
)

// soon is how long a cancelled call may take to return.
const soon = 10 * time.Second

// cancelled: an installation returns soon, nothing continues in the background, and the next call
// resumes it.
func (h Harness) cancelled(t *testing.T) {
	hanging := release("cancel", "1.0.0", map[string]string{
		"templates/hook.yaml": Hanging("hook"), "templates/a.yaml": ConfigMap("settings", "late"),
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	began := make(chan struct{})
	var once sync.Once
	ended := make(chan error, 1)
	go func() {
		_, err := h.Installer.Install(ctx, h.Cluster, hanging, func(message string) {
			if strings.Contains(message, "hook") {
				once.Do(func() { close(began) })
			}
		})
		ended <- err
	}()
	select {
	case <-began:
	case err := <-ended:
		t.Fatalf("it ended before it was cancelled: %v", err)
	}
	cancel()
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want context.Canceled", err)
		}
	case <-time.After(soon):
		t.Fatalf("it did not end within %s", soon)
	}
	h.absent(t, settings("cancel"))
	h.install(t, one("cancel", "1.0.1", "resumed"))
	h.expect(t, settings("cancel"), "resumed")
}

func (h Harness) cancelledBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := one("never", "1.0.0", "x")
	_, err := h.Installer.Install(ctx, h.Cluster, r, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("install: %v", err)
	}
	if _, err := h.Installer.List(ctx, h.Cluster); !errors.Is(err, context.Canceled) {
		t.Errorf("list: %v", err)
	}
	if _, err := h.Installer.Remove(ctx, h.Cluster, r.Addon, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("remove: %v", err)
	}
	h.absent(t, settings("never"))
}
