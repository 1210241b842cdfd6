package docker

import (
	"context"
	"regexp"
	"strings"
)

// Remove kills and removes containers with their anonymous volumes. It ignores containers that
// do not exist any more.
func Remove(ctx context.Context, ids ...string) error {
	if len(ids) == 0 {
		return nil
	}
	return waking(ctx, ids, func() error { return remove(ctx, ids) })
}

func remove(ctx context.Context, ids []string) error {
	_, err := run(ctx, append([]string{"rm", "--force", "--volumes"}, ids...)...)
	if isGone(err) {
		return nil
	}
	return err
}

// isGone reports whether docker failed only because an object that it was to remove does not
// exist, or because another program is removing it at this moment.
func isGone(err error) bool {
	if err == nil {
		return false
	}
	gone := regexp.MustCompile(`(?i)no such (container|object|network|volume)|network .* not found|is already in progress`)
	for line := range strings.Lines(err.Error()) {
		if !gone.MatchString(line) {
			return false
		}
	}
	return true
}
