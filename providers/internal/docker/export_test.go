package docker

import (
	"context"
	"time"
)

// AskWithin runs a docker command that changes nothing, for an engine that must answer within limit.
func AskWithin(ctx context.Context, limit time.Duration, args ...string) ([]byte, error) {
	return askWithin(ctx, limit, args...)
}
