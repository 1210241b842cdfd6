package docker

import (
	"context"
	"errors"
	"strings"
)

// waking calls end, which ends the processes of containers, and where that fails because
// some would not die, wakes them and calls it again.
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

// isFrozen tells whether docker failed because a process in the container would not
// die. On cgroup v1 one that is frozen cannot, and runc freezes a pod for a moment when
// it starts it: a node that is killed just then keeps it so for ever.
func isFrozen(err error) bool {
	return err != nil && strings.Contains(err.Error(), "did not receive an exit event")
}

// thawScript runs in a container that sees the machine's cgroups, with the frozen
// container's ID as $0: part of the name of its cgroup, whatever manages those.
const thawScript = `find /cgroup/freezer -path "*$0*" -name freezer.state | while read -r f; do echo THAWED >"$f"; done`

// thaw wakes what is frozen in a container. Nobody in it can any more, and lab may run
// elsewhere, or as a user who may not: so a container does it that is made of the same
// image, which is here, and is removed once it is done.
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
