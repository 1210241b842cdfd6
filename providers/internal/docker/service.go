package docker

import (
	"context"
	"io"
	"strings"
)

// Import creates an image whose files are those of a tar archive. changes are instructions of a Dockerfile.
func Import(ctx context.Context, archive io.Reader, image string, changes ...string) error {
	args := []string{"import"}
	for _, c := range changes {
		args = append(args, "--change", c)
	}
	_, err := feed(ctx, archive, append(args, "-", image)...)
	return err
}

// Run creates and starts a container in the background, with arguments of `docker run`, and returns its ID.
func Run(ctx context.Context, args ...string) (id string, err error) {
	out, err := run(ctx, append([]string{"run", "--detach"}, args...)...)
	return strings.TrimSpace(string(out)), err
}

// RemoveImage removes an image. It returns nil if it does not exist.
func RemoveImage(ctx context.Context, image string) error {
	_, err := run(ctx, "image", "rm", image)
	if err != nil && strings.Contains(strings.ToLower(err.Error()), "no such image") {
		return nil
	}
	return err
}

// Rootless reports whether the engine runs as a user, who then is root in containers.
func Rootless(ctx context.Context) (bool, error) {
	out, err := ask(ctx, "info", "--format", "{{json .SecurityOptions}}")
	return strings.Contains(string(out), "name=rootless"), err
}
