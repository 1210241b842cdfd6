package cli

import (
	"context"
	"os/exec"
)

// browse opens url in the user's browser. An interrupt of lab does not end the browser.
func browse(ctx context.Context, url string) error {
	return exec.CommandContext(context.WithoutCancel(ctx), "rundll32", "url.dll,FileProtocolHandler", url).Run()
}
