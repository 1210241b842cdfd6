package docker

import (
	"context"
	"errors"
	"strings"
)

// waking calls end, which ends the processes of containers. If some cannot die because they are
// frozen, it thaws them and calls end again.
func waking(ctx context.Context, ids []string, end func() error) error {
	err := end()
	if !isFrozen(err) {
		return err
	}
	for _, id := range ids {
		err = errors.Join(err, thaw(ctx, id))
	}
	if again := end(); again != nil {
		return errors.Join(again, err)
	}
	return nil
}

// isFrozen reports whether docker failed because a process in the container did not die. On
// cgroup v1 a frozen process cannot die. runc freezes a pod for a moment when it starts it, and
// a node that is killed at that moment stays frozen.
func isFrozen(err error) bool {
	return err != nil && strings.Contains(err.Error(), "did not receive an exit event")
}

// thawScript runs in a container that mounts the machine's cgroups, with the ID of the frozen
// container as $0: it is part of the name of its cgroup with every cgroup driver.
const thawScript = `find /cgroup/freezer -path "*$0*" -name freezer.state | while read -r f; do echo THAWED >"$f"; done`

// thaw thaws the processes of a container. Programs inside it cannot, and lab may run on
// another machine or without the permission. So a temporary container of the same image, which
// exists locally, does it.
func thaw(ctx context.Context, id string) error {
	image, err := ask(ctx, "inspect", "--type=container", "--format", "{{.Image}}", id)
	if isGone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = run(ctx, "run", "--rm", "--privileged", "--network=none", "--volume=/sys/fs/cgroup:/cgroup",
		"--entrypoint=sh", strings.TrimSpace(string(image)), "-c", thawScript, id)
	return err
}
