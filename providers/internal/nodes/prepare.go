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

// CheckFiles returns ErrInvalid where something that a spec would mount does not exist, or
// one of sources, which the tool's own configuration mounts: Docker would create an empty
// directory of that name, which belongs to root and stays for ever.
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

// Pull sees to it that the engine has the images. The tools would do so themselves, but
// for minutes that nobody could cut short, and without a word on how far it is.
func Pull(ctx context.Context, images []string, variable string, report event.Reporter) error {
	for _, image := range images {
		has, err := docker.HasImage(ctx, image)
		if err != nil {
			return err
		}
		if has {
			continue
		}
		err = report.Do("Pulling "+image, func(step *event.Step) error { return docker.Pull(ctx, image, step.Progress) })
		if errors.Is(err, fault.ErrNotFound) || errors.Is(err, fault.ErrUnavailable) {
			if _, gone := docker.Ping(ctx); gone == nil {
				err = hintImage(ctx, err, image, variable)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// enough is the memory that kubeadm wants for a control plane, in bytes: 1,700 MB, says
// its own check (k8s.io/kubernetes/cmd/kubeadm/app/constants, ControlPlaneMem), which
// the tools leave out.
const enough = 1700 << 20

// WarnMemory tells a person that an engine has too little memory for a control plane. It
// may do all the same, with nothing else on it, so that is all.
func WarnMemory(engine docker.Engine, report event.Reporter) {
	if engine.Memory == 0 || engine.Memory >= enough {
		return
	}
	step := fmt.Sprintf("Low memory: the Docker Engine has %d MB, and kubeadm requires %d MB for a control plane", engine.Memory>>20, enough>>20)
	report.Start(step).End(nil)
}

// WantsCgroupV2 tells whether a version of Kubernetes, such as "v1.37.2", refuses by
// default to run with cgroup v1, as those from 1.35 on do. A version that is no such
// text is taken for a new one.
func WantsCgroupV2(version string) bool {
	rest, ok := strings.CutPrefix(version, "v1.")
	minor, _, _ := strings.Cut(rest, ".")
	n, err := strconv.Atoi(minor)
	return !ok || err != nil || n >= 35
}

// WarnCgroupV1 tells a person that cgroup v1 had to be allowed.
func WarnCgroupV1(report event.Reporter) {
	report.Start("Allowing cgroup v1, which Kubernetes 1.35 and newer rejects by default").End(nil)
}
