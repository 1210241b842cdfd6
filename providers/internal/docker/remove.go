package docker

import (
	"context"
	"regexp"
	"strings"
)

// Remove kills and removes containers with their anonymous volumes. Those that are
// gone already are no error.
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

// isGone tells whether docker failed only because what it was told to remove is not
// there, or is being removed by somebody else at this moment.
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
