package docker

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// Save writes images of the engine into an archive, for the engine's platform only: for the
// other platforms of an image the engine has no layers, and nodes fail to import such an
// archive. Save returns ErrNotFound if the engine lacks an image, and ErrInvalid if one has no
// tag. It leaves no archive on error.
func Save(ctx context.Context, images []string, archive string) error {
	platform := ""
	var tags []string
	for _, image := range images {
		own, on, err := tagsOf(ctx, image)
		if err != nil {
			return err
		}
		tags, platform = append(tags, own...), on
	}
	_, err := run(ctx, append([]string{"save", "--platform", platform, "--output", archive}, tags...)...)
	if err != nil && knowsNoPlatforms(err) {
		_, err = run(ctx, append([]string{"save", "--output", archive}, tags...)...)
	}
	if err != nil {
		_ = os.Remove(archive)
	}
	return err
}

// Load loads the images of an archive into the engine, under the tags that the archive names.
func Load(ctx context.Context, archive string) error {
	_, err := run(ctx, "load", "--quiet", "--input", archive)
	return err
}

// tagsOf returns the names under which to save an image, and its platform. The names are the
// given one or, for an ID or a digest, the tags of the image, because an archive keeps only
// tags. It returns ErrNotFound, and ErrInvalid if the image has no tag.
func tagsOf(ctx context.Context, image string) (tags []string, platform string, err error) {
	out, err := run(ctx, "image", "inspect", "--format", "{{.Os}}/{{.Architecture}} {{.Id}}{{range .RepoTags}} {{.}}{{end}}", image)
	if err != nil && strings.Contains(err.Error(), "No such image") {
		return nil, "", fault.WithHint(fault.Errorf(fault.ErrNotFound, "%w", err),
			"list the images on this machine: docker images; or pull the image: docker pull %s", image)
	}
	words := strings.Fields(string(out))
	if err != nil || len(words) < 2 {
		return nil, "", errors.Join(err)
	}
	platform, id, tags := words[0], strings.TrimPrefix(words[1], "sha256:"), words[2:]
	byID := strings.HasPrefix(id, strings.TrimPrefix(image, "sha256:"))
	switch {
	case !byID && !strings.Contains(image, "@"):
		return []string{image}, platform, nil
	case len(tags) == 0:
		err := fault.Errorf(fault.ErrInvalid, "the image %s has no tag, so no pod can use it", image)
		return nil, "", fault.WithHint(err, "tag the image, then load it by name: docker tag %s NAME:TAG, lab image load NAME:TAG", image)
	}
	return tags, platform, nil
}

// knowsNoPlatforms reports whether the docker command or its engine is older than version 28,
// whose images have one platform each.
func knowsNoPlatforms(err error) bool {
	words := err.Error()
	return strings.Contains(words, "unknown flag: --platform") || strings.Contains(words, "requires API version")
}
