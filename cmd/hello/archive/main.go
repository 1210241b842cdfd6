// Command archive builds the images of hello for linux/amd64 and linux/arm64, and writes them as one OCI archive, which
// `lab image load` loads into a cluster. The same sources give the same archive.
//
//	go run ./cmd/hello/archive bin/lab-hello.tar
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/opencontainers/image-spec/specs-go/v1"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "archive:", err)
		os.Exit(1)
	}
}

// run builds the programs and writes the archive. The archive is complete or unchanged.
func run(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("want the path of the archive")
	}
	dir, err := os.MkdirTemp("", "lab-hello-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	programs := map[string]string{}
	for _, arch := range []string{"amd64", "arm64"} {
		if programs[arch], err = build(ctx, dir, arch); err != nil {
			return err
		}
	}
	temporary := args[0] + ".new"
	file, err := os.Create(temporary)
	if err != nil {
		return err
	}
	err = errors.Join(write(file, programs, images()), file.Close())
	if err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return os.Rename(temporary, args[0])
}

// build builds hello for an architecture, and returns its path.
func build(ctx context.Context, dir, arch string) (string, error) {
	path := filepath.Join(dir, arch)
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w -buildid=", "-o", path, "github.com/clusterlab-dev/lab/cmd/hello")
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+arch, "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("build hello for %s: %w", arch, err)
	}
	return path, nil
}

// image is an image of the archive.
type image struct {
	name string
	env  []string
}

// images returns the images. They contain the same program and differ by its settings; v3-bad answers its probes, and
// fails every third request.
func images() []image {
	return []image{
		{"ghcr.io/clusterlab-dev/hello:v1", []string{"HELLO_VERSION=v1"}},
		{"ghcr.io/clusterlab-dev/hello:v2", []string{"HELLO_VERSION=v2"}},
		{"ghcr.io/clusterlab-dev/hello:v3-bad", []string{"HELLO_VERSION=v3-bad", "HELLO_ERRORS=0.33"}},
	}
}

// config returns the configuration of an image with one layer.
func config(i image, arch string, layer layer) v1.Image {
	return v1.Image{
		Platform: v1.Platform{OS: "linux", Architecture: arch},
		RootFS:   v1.RootFS{Type: "layers", DiffIDs: layer.diffIDs()},
		Config: v1.ImageConfig{User: fmt.Sprintf("%d:%d", user, user), Entrypoint: []string{"/hello"}, Env: i.env,
			ExposedPorts: map[string]struct{}{"8080/tcp": {}}},
	}
}
