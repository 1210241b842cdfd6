package images

import (
	"context"
	"crypto/rand"
	"io"
	"os"
	"strings"

	"github.com/clusterlab-dev/lab/e2e/testbed/internal/shell"
)

// label is the label of an image with the key of the step that built it: the digest of all its inputs.
const label = "lab.testbed.inputs"

// docker runs the docker client, and logs its output.
type docker struct{ log io.Writer }

func (d docker) run(ctx context.Context, args ...string) (string, error) {
	out, err := shell.Cmd{Log: d.log}.Output(ctx, "docker", args...)
	return strings.TrimSpace(out), err
}

// input runs the docker client with a file as standard input.
func (d docker) input(ctx context.Context, path string, args ...string) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	return shell.Cmd{Log: d.log, Stdin: in}.Run(ctx, "docker", args...)
}

// made reports whether the engine has an image of the step with the key.
func made(ctx context.Context, tag, key string) bool {
	out, err := docker{}.run(ctx, "image", "inspect", "--format", `{{index .Config.Labels "`+label+`"}}`, tag)
	return err == nil && out == key
}

// container creates a container of image with a unique name, and returns the name and a function that removes it. run
// is "create", or "run" for a container that runs.
func (d docker) container(ctx context.Context, run []string, image string, command ...string) (string, func(), error) {
	name := "lab-testbed-build-" + strings.ToLower(rand.Text()[:8])
	args := append(append(run, "--name="+name, "--network=none", image), command...)
	remove := func() { _, _ = d.run(context.WithoutCancel(ctx), "rm", "--force", "--volumes", name) }
	if _, err := d.run(ctx, args...); err != nil {
		remove()
		return "", nil, err
	}
	return name, remove, nil
}

// commit creates the image tag from a container, with instructions of a Dockerfile.
func (d docker) commit(ctx context.Context, container, tag, key string, changes ...string) error {
	args := []string{"commit", "--change", "LABEL " + label + "=" + key}
	for _, change := range changes {
		args = append(args, "--change", change)
	}
	_, err := d.run(ctx, append(args, container, tag)...)
	return err
}
