package nodes

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// CheckFiles returns ErrInvalid if a file or directory that spec mounts does not exist, or one
// of sources, which the tool's own configuration mounts. Docker would create an empty directory
// that belongs to root and is never removed.
func CheckFiles(spec providers.Spec, sources ...string) error {
	for _, m := range spec.Mounts {
		sources = append(sources, m.Host)
	}
	for _, source := range sources {
		if _, err := os.Stat(source); err != nil {
			return fault.WithHint(fault.Errorf(fault.ErrInvalid, "cannot mount %s: %w", source, err),
				"create it, or remove the mount: otherwise Docker creates an empty directory that belongs to root")
		}
	}
	if spec.CAFile == "" {
		return nil
	}
	if _, err := os.ReadFile(spec.CAFile); err != nil {
		return fault.Errorf(fault.ErrInvalid, "cannot read the certificate authority: %w", err)
	}
	return nil
}

// Image is an image that a cluster is created from.
type Image struct {
	Name     string
	Variable string // the environment variable by which users choose another
}

// Images returns images that share a variable, each once.
func Images(variable string, names ...string) []Image {
	var images []Image
	seen := map[string]bool{}
	for _, name := range names {
		if !seen[name] {
			images = append(images, Image{name, variable})
		}
		seen[name] = true
	}
	return images
}

// Names returns the names of images.
func Names(images []Image) []string {
	names := make([]string, len(images))
	for i, image := range images {
		names[i] = image.Name
	}
	return names
}

// pull pulls the images that the engine does not have. The tools would do so, too, but could
// not be interrupted for minutes, and report no progress.
func pull(ctx context.Context, images []Image, cache *Cache, report event.Reporter) error {
	for _, image := range images {
		has, err := docker.HasImage(ctx, image.Name)
		if err != nil {
			return err
		}
		if has {
			continue
		}
		err = report.Do("Pulling "+image.Name, func(step *event.Step) error { return cache.pull(ctx, image.Name, step.Progress) })
		if errors.Is(err, fault.ErrNotFound) || errors.Is(err, fault.ErrUnavailable) {
			if _, gone := docker.Ping(ctx); gone == nil {
				err = hintImage(ctx, err, image)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// KubeadmMemory is the memory, in bytes, that kubeadm requires for a control plane: 1,700 MiB,
// says its own check (k8s.io/kubernetes/cmd/kubeadm/app/constants, ControlPlaneMem), which the
// tools skip.
const KubeadmMemory = 1700 << 20

// Adapt has allowCgroupV1 change the tool's configuration if the engine has cgroup v1 only, and
// reports a step if that changed something. It also reports if the engine has less memory than
// required, in bytes: a cluster may still work then, if nothing else runs. It returns
// ErrUnavailable if the engine does not answer.
func Adapt(ctx context.Context, required int64, allowCgroupV1 func() bool, report event.Reporter) error {
	engine, err := docker.Ping(ctx)
	if err != nil {
		return err
	}
	if engine.Memory > 0 && engine.Memory < required {
		report.Start(fmt.Sprintf("Low memory: the Docker Engine has %s, and a control plane needs %s", event.Size(engine.Memory), event.Size(required))).End(nil)
	}
	if engine.CgroupV1 && allowCgroupV1() {
		report.Start("Allowing cgroup v1, which Kubernetes 1.35 and newer rejects by default").End(nil)
	}
	return nil
}

// WantsCgroupV2 reports whether a version of Kubernetes, such as "v1.37.2", refuses by default
// to run with cgroup v1, as those from 1.35 on do. A text that is not a version counts as new.
func WantsCgroupV2(version string) bool {
	rest, ok := strings.CutPrefix(version, "v1.")
	minor, _, _ := strings.Cut(rest, ".")
	n, err := strconv.Atoi(minor)
	return !ok || err != nil || n >= 35
}
