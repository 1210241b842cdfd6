//go:build !windows

package cli

import (
	"context"
	"os/exec"
	"runtime"
)

// browse opens url in the user's browser. An interrupt of lab does not end the browser.
func browse(ctx context.Context, url string) error {
	program := "xdg-open"
	if runtime.GOOS == "darwin" {
		program = "open"
	}
	return exec.CommandContext(context.WithoutCancel(ctx), program, url).Run()
}
