// Package snapshot saves the data of a cluster in one file, and creates the data of a new cluster from
// it. The file has no credentials of the cluster that was saved: see clean.
package snapshot

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/controlplane"
	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/dir"
)

// Save writes the data of the cluster in the directory to file, which must not exist. The cluster may
// run, and keeps running; a stopped one stays stopped. Next to file, Save needs space for two copies of
// the data while it works. It changes the working directory of the process.
//
// The data is copied twice. The first copy is consistent: etcd itself writes it. Then a second etcd
// removes the credentials from that copy, and writes the file.
func Save(ctx context.Context, directory, file string) (err error) {
	file, err = filepath.Abs(file)
	if err != nil {
		return err
	}
	work := file + ".work"
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	if err := os.Mkdir(work, 0o700); err != nil {
		return err
	}
	if _, err := dir.Enter(directory); err != nil {
		return err
	}
	raw := filepath.Join(work, "raw.db")
	if err := copyData(ctx, raw); err != nil {
		return err
	}
	if err := os.Chdir(work); err != nil {
		return err
	}
	log := logger()
	if err := controlplane.RestoreEtcd(log, raw); err != nil {
		return err
	}
	return withEtcd(ctx, log, func(client *clientv3.Client) error {
		if err := clean(ctx, client); err != nil {
			return err
		}
		if err := forgetHistory(ctx, client); err != nil {
			return err
		}
		return fetch(ctx, client, file)
	})
}

// Restore creates the data of the cluster in the directory from a file that Save wrote. The directory
// must contain engine.json, and no data. The engine then starts as after a stop: it creates no default
// objects, because users may have deleted those. Restore changes the working directory of the process.
func Restore(directory, file string) error {
	file, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	if _, err := dir.Enter(directory); err != nil {
		return err
	}
	lock, err := dir.Lock()
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := controlplane.RestoreEtcd(logger(), file); err != nil {
		return err
	}
	return dir.WriteStatus(dir.Status{Phase: dir.Stopped, EverReady: true})
}

// copyData writes the data of the cluster in the working directory to file. If the engine runs, its etcd
// writes the copy.
func copyData(ctx context.Context, file string) error {
	log := logger()
	lock, err := dir.Lock()
	if errors.Is(err, dir.ErrLocked) {
		client, err := controlplane.EtcdClient(log)
		if err != nil {
			return err
		}
		return errors.Join(fetch(ctx, client, file), client.Close())
	}
	if err != nil {
		return err
	}
	defer lock.Close()
	return withEtcd(ctx, log, func(client *clientv3.Client) error { return fetch(ctx, client, file) })
}

// withEtcd runs etcd in the working directory while do uses it.
func withEtcd(ctx context.Context, log *zap.Logger, do func(*clientv3.Client) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- controlplane.RunEtcd(ctx, log, func() { close(ready) }) }()
	select {
	case err := <-ended:
		return cmp.Or(err, ctx.Err())
	case <-ready:
	}
	client, err := controlplane.EtcdClient(log)
	if err == nil {
		err = errors.Join(do(client), client.Close())
	}
	stop()
	return errors.Join(err, <-ended)
}

// fetch writes a consistent copy of the data of a running etcd to file, with its checksum.
func fetch(ctx context.Context, client *clientv3.Client, file string) (err error) {
	from, err := client.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	if _, err := io.Copy(to, from); err != nil {
		return err
	}
	return to.Sync()
}

// defragmentWithin limits the defragmentation, which copies the whole database.
const defragmentWithin = 10 * time.Minute

// forgetHistory removes all earlier versions of objects, and deleted objects, from the database.
func forgetHistory(ctx context.Context, client *clientv3.Client) error {
	now, err := client.Get(ctx, "/")
	if err != nil {
		return err
	}
	if _, err := client.Compact(ctx, now.Header.Revision, clientv3.WithCompactPhysical()); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, defragmentWithin)
	defer cancel()
	_, err = client.Defragment(ctx, client.Endpoints()[0])
	return err
}

// logger returns a logger for etcd that writes to stderr, where the adapter reads it, why etcd ends the
// process. Everything else is returned as an error, or is the noise of a shutdown.
func logger() *zap.Logger {
	config := zap.NewProductionEncoderConfig()
	config.TimeKey, config.CallerKey, config.StacktraceKey = "", "", ""
	return zap.New(zapcore.NewCore(zapcore.NewConsoleEncoder(config), zapcore.Lock(os.Stderr), zapcore.PanicLevel))
}
