package cli

import (
	"context"
	"os/exec"
)

// browse opens url in the user's browser, and does not wait for it.
func browse(ctx context.Context, url string) error {
	return exec.CommandContext(context.WithoutCancel(ctx), "rundll32", "url.dll,FileProtocolHandler", url).Run()
}
