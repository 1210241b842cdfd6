package kwok

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// snapshotFile is the file with the data of etcd, in the directory of a snapshot.
const snapshotFile = "etcd.db"

// Details of a snapshot. A restored cluster keeps the names of its nodes: pods name theirs, which
// cannot be changed.
const (
	detailControlPlane = "controlPlane"
	detailNodePrefix   = "nodePrefix"
)

// SaveSnapshot implements [providers.Snapshotter]. A running engine keeps running.
func (p *Provider) SaveSnapshot(ctx context.Context, ref providers.Ref, dir string, report event.Reporter) (providers.Snapshot, error) {
	from, err := p.find(ref)
	if err != nil {
		return providers.Snapshot{}, err
	}
	config, err := readConfig(from)
	if err != nil {
		return providers.Snapshot{}, err
	}
	status, err := readStatus(from)
	if err != nil {
		return providers.Snapshot{}, err
	}
	if !status.EverReady {
		err := fault.Errorf(fault.ErrUnavailable, "the cluster has never been ready, so its contents are not complete")
		return providers.Snapshot{}, fault.WithHint(err, "start it: lab start %s", ref.Name)
	}
	engine, err := p.findEngine()
	if err != nil {
		return providers.Snapshot{}, err
	}
	err = report.Do("Copying the data of etcd", func(*event.Step) error {
		return work(ctx, engine, dir, "snapshot", "--dir", from, "--to", filepath.Join(dir, snapshotFile))
	})
	return providers.Snapshot{KubernetesVersion: status.KubernetesVersion, Details: map[string]string{
		detailControlPlane: config.ControlPlane, detailNodePrefix: cmp.Or(config.NodePrefix, config.Name),
	}}, err
}

// restored returns the configuration of a cluster that is created from a snapshot.
func restored(config engineConfig, from providers.Snapshot) engineConfig {
	config.ControlPlane, config.NodePrefix = from.Details[detailControlPlane], from.Details[detailNodePrefix]
	return config
}

// matchSnapshot returns ErrUnsupported unless a lab-engine with the offered version of Kubernetes can
// use the data of a snapshot, and ErrInvalid if the snapshot is not one of kwok.
func matchSnapshot(from providers.Snapshot, offered string) error {
	if from.Details[detailControlPlane] == "" || from.Details[detailNodePrefix] == "" {
		return fault.Errorf(fault.ErrInvalid, "the snapshot does not name its nodes")
	}
	if from.KubernetesVersion == offered {
		return nil
	}
	return fault.WithHint(
		fault.Errorf(fault.ErrUnsupported, "the snapshot has Kubernetes %s, and this build of lab-engine contains %s", from.KubernetesVersion, offered),
		"use the lab and the lab-engine that saved the snapshot, or save another one: lab snapshot save NAME")
}

// restore creates the data of the cluster in dir, whose engine does not run, from a snapshot.
func restore(ctx context.Context, engine, dir string, from providers.Snapshot) error {
	return work(ctx, engine, dir, "restore", "--dir", dir, "--from", filepath.Join(from.Dir, snapshotFile))
}

// work runs a command of an engine that takes as long as its data is large. It writes into the
// directory dir.
func work(ctx context.Context, engine, dir string, args ...string) error {
	var said strings.Builder
	cmd := exec.CommandContext(ctx, engine, args...)
	cmd.Env = environment()
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	words := cmp.Or(panicMessage([]byte(said.String())), lastLines([]byte(said.String()), 1))
	exit, ended := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case !ended:
		return cannotRun(engine, err)
	case exit.ExitCode() == exitUsage:
		return reinstall(fault.Errorf(fault.ErrUnavailable, "%s is too old: it has no snapshots", engine))
	case exit.ExitCode() == exitLocked:
		return fmt.Errorf("another %s runs this cluster", engineName)
	case words == "":
		words = exit.String()
	}
	err = errors.New(strings.TrimPrefix(words, engineName+": "))
	if strings.Contains(words, syscall.ENOSPC.Error()) {
		return fault.WithHint(err, "free space on the disk of %s", dir)
	}
	return err
}
