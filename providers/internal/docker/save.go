package docker

import (
	"context"
	"os"
	"strings"

	"github.com/clusterlab-dev/lab/providers"
)

// Save writes images of the engine into an archive. Of an image for several platforms
// only the engine's own is written: of the others it has but the names, and a node that
// was told to take them would look for what is not there. Save returns ErrNotFound where
// the engine has one of the images not, and leaves no archive on error.
func Save(ctx context.Context, images []string, archive string) error {
	platform := ""
	for _, image := range images {
		out, err := run(ctx, "image", "inspect", "--format", "{{.Os}}/{{.Architecture}}", image)
		if err != nil && strings.Contains(err.Error(), "No such image") {
			return providers.WithHint(providers.Errorf(providers.ErrNotFound, "%w", err),
				"docker images shows those that are here; docker pull %s gets it", image)
		}
		if err != nil {
			return err
		}
		platform = strings.TrimSpace(string(out))
	}
	_, err := run(ctx, append([]string{"save", "--platform", platform, "--output", archive}, images...)...)
	if err != nil && knowsNoPlatforms(err) {
		_, err = run(ctx, append([]string{"save", "--output", archive}, images...)...)
	}
	if err != nil {
		_ = os.Remove(archive)
	}
	return err
}

// knowsNoPlatforms tells whether the docker command or its engine is from before version
// 28, whose images are of one platform each.
func knowsNoPlatforms(err error) bool {
	words := err.Error()
	return strings.Contains(words, "unknown flag: --platform") || strings.Contains(words, "requires API version")
}
