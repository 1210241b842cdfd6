package kubeconfig

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/clusterlab-dev/lab/providers"
)

const (
	defaultPatience = 10 * time.Second
	pollInterval    = 10 * time.Millisecond
)

// lock makes FILE.lock, and with it excludes every program that edits kubeconfig
// files the way kubectl does. Such a lock outlives a program that was killed;
// after patience, lock gives up with ErrUnavailable and says how to remove it.
func lock(ctx context.Context, path string, patience time.Duration) (unlock func(), err error) {
	if patience == 0 {
		patience = defaultPatience
	}
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	name := path + ".lock"
	for {
		err := create(name)
		switch {
		case err == nil:
			return func() { _ = os.Remove(name) }, nil
		// The directory may have been removed, with lab's last entry, a moment ago.
		case !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrNotExist):
			return nil, unusable("lock", path, err)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for the lock of the kubeconfig %s: %w", path, ctx.Err())
		case <-tick.C:
		case <-deadline.C:
			return nil, stale(path, name, err)
		}
	}
}

func create(name string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func stale(path, name string, err error) error {
	info, statErr := os.Stat(name)
	if statErr != nil {
		return unusable("lock", path, err)
	}
	age := time.Since(info.ModTime()).Round(time.Second)
	err = providers.Errorf(providers.ErrUnavailable, "cannot lock the kubeconfig %s: another program has held %s for %v", path, name, age)
	return providers.WithHint(err, "if no program is editing it, the one that did was killed: rm %s", name)
}
