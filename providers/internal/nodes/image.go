package nodes

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// Check returns nil if the Docker Engine answers and has a node image, or if the image's
// registry answers. If spec is Offline, it does not ask the registry, and returns
// [providers.NotLocal] for an image that is not on this machine. Otherwise it returns
// ErrUnavailable. variable is the environment variable that selects another image.
func Check(ctx context.Context, spec providers.Spec, image, variable string) error {
	if _, err := docker.Ping(ctx); err != nil {
		return err
	}
	if has, err := docker.HasImage(ctx, image); has || err != nil {
		return err
	}
	if spec.Offline {
		return &providers.NotLocal{Image: image}
	}
	err := docker.AskRegistry(ctx, image)
	if err == nil || ctx.Err() != nil {
		return err
	}
	err = fault.Errorf(fault.ErrUnavailable, "the node image %s is not on this machine, and its registry cannot be reached: %w", withoutDigest(image), err)
	return hintImage(ctx, err, Image{image, variable})
}

// withoutDigest returns an image's name without its digest, for messages.
func withoutDigest(image string) string {
	short, _, _ := strings.Cut(image, "@")
	return short
}

// hintImage adds a hint to the error of an image that is missing and cannot be pulled. docker
// load does not keep digests, so an image that is pinned by one may exist under its tag.
func hintImage(ctx context.Context, err error, image Image) error {
	short := withoutDigest(image.Name)
	if has, _ := docker.HasImage(ctx, short); has && short != image.Name {
		return fault.WithHint(fmt.Errorf("%w\n%s is on this machine with another digest or without one: docker load does not keep digests", err, short),
			"if you trust that image, use it: --image %s", short)
	}
	if here := nearest(ctx, image.Name); here != "" {
		return fault.WithHint(err, "use a version that is on this machine: %s; or pull the image where the registry is reachable: docker pull %s", here, short)
	}
	return fault.WithHint(err,
		"pull the image where the registry is reachable: docker pull %s; or use an image that is on this machine: export %s=IMAGE", short, image.Variable)
}

// offered is how many versions a hint names.
const offered = 3

// nearest returns the flags that request the versions nearest to an image's that the engine has
// images for, or "". The tag of a node image is a version of Kubernetes.
func nearest(ctx context.Context, image string) string {
	repository, tag := docker.SplitImage(image)
	tags, _ := docker.Tags(ctx, repository) // none on error
	tags = slices.DeleteFunc(tags, func(t string) bool { return !strings.HasPrefix(t, "v1.") || t == tag })
	want := releaseOf(tag)
	slices.SortFunc(tags, func(a, b string) int {
		return cmp.Or(cmp.Compare(distance(releaseOf(a), want), distance(releaseOf(b), want)), cmp.Compare(b, a))
	})
	tags = slices.Compact(tags)
	for i := range tags {
		tags[i] = "--kubernetes-version " + tags[i]
	}
	return strings.Join(tags[:min(len(tags), offered)], ", ")
}

// releaseOf returns a version such as v1.37.2-k3s1 as one number for comparisons.
func releaseOf(version string) int {
	numbers, _, _ := strings.Cut(strings.TrimPrefix(version, "v1."), "-")
	minor, patch, _ := strings.Cut(numbers, ".")
	m, _ := strconv.Atoi(minor)
	p, _ := strconv.Atoi(patch)
	return 1000*m + p
}

func distance(a, b int) int { return max(a-b, b-a) }

// Versions returns the versions of Kubernetes for which the engine has node images of the
// repository of image, and that of image itself, newest first. It returns ErrUnavailable if the
// engine does not answer.
func Versions(ctx context.Context, image string) ([]string, error) {
	repository, tag := docker.SplitImage(image)
	tags, err := docker.Tags(ctx, repository)
	if err != nil {
		return nil, err
	}
	tags = slices.DeleteFunc(append(tags, tag), func(t string) bool { return !strings.HasPrefix(t, "v1.") })
	slices.SortFunc(tags, func(a, b string) int { return cmp.Or(cmp.Compare(releaseOf(b), releaseOf(a)), cmp.Compare(b, a)) })
	return slices.Compact(tags), nil
}
