package docker

import (
	"context"
	"regexp"
	"strings"
	"time"
)

// Remove kills and removes containers with their anonymous volumes. It ignores containers that
// do not exist any more.
func Remove(ctx context.Context, ids ...string) error {
	if len(ids) == 0 {
		return nil
	}
	return waking(ctx, ids, func() error { return remove(ctx, ids) })
}

// removedWithin bounds how long the engine may take to remove a container after the command that
// requested it was interrupted. It usually takes less than a second.
const removedWithin = time.Minute

// remove asks again while the engine still removes a container, as after an interrupted removal.
func remove(ctx context.Context, ids []string) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(removedWithin); ; {
		_, err := run(ctx, append([]string{"rm", "--force", "--volumes"}, ids...)...)
		switch {
		case err == nil, isGone(err) && !strings.Contains(err.Error(), inProgress):
			return nil
		case !isGone(err), time.Now().After(deadline):
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// inProgress is what docker says of a container that it already removes.
const inProgress = "is already in progress"

// isGone reports whether docker failed only because an object that it was to remove does not
// exist, or because another program is removing it at this moment.
func isGone(err error) bool {
	if err == nil {
		return false
	}
	gone := regexp.MustCompile(`(?i)no such (container|object|network|volume)|network .* not found|` + inProgress)
	for line := range strings.Lines(err.Error()) {
		if !gone.MatchString(line) {
			return false
		}
	}
	return true
}
