package providers

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// VersionLatest requests the newest version of Kubernetes that a flavor offers.
const VersionLatest = "latest"

// Versioner is implemented by providers that know, without a network, which versions of
// Kubernetes they can create. The others take a version such as "v1.37" as it is.
type Versioner interface {
	// Versions returns them, such as "v1.37.2", newest first. The first is what
	// [VersionLatest] means.
	Versions(ctx context.Context) ([]string, error)
}

// Localizer is implemented by providers whose own configuration may depend on the directory of
// its file, or on the environment.
type Localizer interface {
	// Localize returns a configuration that means the same wherever lab is called: its
	// relative paths are those of dir. It returns a text that it cannot read unchanged;
	// Create reports the error.
	Localize(text []byte, dir string) []byte
}

// Localize returns a configuration that means the same in every working directory: relative
// paths in it are relative to dir. It returns a text that it cannot parse unchanged; Create
// reports the error.
func (s *Set) Localize(flavor string, spec Spec) (Spec, error) {
	p, err := s.Get(flavor)
	return localize(p, spec), err
}

func localize(p Provider, spec Spec) Spec {
	if l, ok := p.(Localizer); ok && spec.NativeDir != "" {
		spec.Native = l.Localize(spec.Native, spec.NativeDir)
	}
	spec.NativeDir = ""
	return spec
}

// Resolve returns spec with an exact version of Kubernetes in place of a loose one:
// "latest", "v1.37", or "v1.37.2+k3s1", which is a release of a flavor; and localized. It
// returns ErrNotFound, with the versions that exist, where the flavor offers none that
// matches, and the errors of [Versioner] and [Set.Get].
func (s *Set) Resolve(ctx context.Context, flavor string, spec Spec) (Spec, error) {
	p, err := s.Get(flavor)
	if err != nil {
		return spec, err
	}
	spec, err = resolve(ctx, p, spec)
	return spec, wrap("resolve the version of", p, spec.Name, err)
}

func resolve(ctx context.Context, p Provider, spec Spec) (Spec, error) {
	spec = localize(p, spec.WithDefaults())
	asked := spec.KubernetesVersion
	if asked == "" || isExact(asked) {
		return spec, nil
	}
	v, ok := p.(Versioner)
	if !ok {
		spec.KubernetesVersion, _, _ = strings.Cut(asked, "+")
		return spec, nil
	}
	offered, err := v.Versions(ctx)
	if err != nil {
		return spec, err
	}
	if i := slices.IndexFunc(offered, func(has string) bool { return VersionMatches(asked, has) }); i >= 0 {
		spec.KubernetesVersion = offered[i]
		return spec, nil
	}
	if release, _, found := strings.Cut(asked, "+"); found {
		spec.KubernetesVersion = release
		return spec, nil
	}
	return spec, notOffered(ctx, p, spec, offered)
}

// notOffered returns the error for a loose version of Kubernetes that no version in offered
// matches. The hint names only versions that the flavor can create.
func notOffered(ctx context.Context, p Provider, spec Spec, offered []string) error {
	err := fault.Errorf(fault.ErrNotFound, "%s has no Kubernetes %s on this machine", p.Name(), spec.KubernetesVersion)
	var hints []string
	if len(offered) > 0 {
		hints = append(hints, "use a version that is available: "+strings.Join(offered, ", "))
	}
	spec.KubernetesVersion += ".0"
	spec.Offline = true
	if isExact(spec.KubernetesVersion) && !errors.Is(check(ctx, p, spec), fault.ErrUnsupported) {
		hints = append(hints, "use an exact version: --kubernetes-version "+spec.KubernetesVersion)
	}
	if len(hints) == 0 {
		return err
	}
	return fault.WithHint(err, "%s", strings.Join(hints, "; or "))
}

// VersionMatches reports whether a cluster of version has satisfies a request for asked:
// "v1.37" and "latest" match v1.37.2, and so does the "v1.37.2+k3s1" of a flavor.
func VersionMatches(asked, has string) bool {
	asked, has = strings.TrimPrefix(asked, "v"), strings.TrimPrefix(has, "v")
	if asked == VersionLatest || asked == has || asked == strings.Replace(has, "-", "+", 1) {
		return true
	}
	release, _, _ := strings.Cut(has, "+")
	asked, _, _ = strings.Cut(asked, "+")
	return release == asked || strings.HasPrefix(release, asked+".")
}

// ExactVersion returns the version of Kubernetes that spec requests, or "" if it requests none, a loose one, or
// something that overrides it.
func ExactVersion(spec Spec) string {
	if spec.NodeImage != "" || len(spec.Native) > 0 || !isExact(spec.KubernetesVersion) {
		return ""
	}
	return spec.KubernetesVersion
}

// NewVersion returns the version of Kubernetes that a creation from spec has, or "" if only the tool knows it. The tags
// of images with Kubernetes are its version, with '-' in place of '+': "v1.37.2-k3s1". Images of the user may have any tag.
func NewVersion(ctx context.Context, p Provider, spec Spec) string {
	if spec.NodeImage != "" || len(spec.Native) > 0 || spec.From != nil {
		return ""
	}
	version := spec.KubernetesVersion
	if i, ok := p.(NodeImager); ok {
		if images, err := i.NodeImages(spec); err == nil && len(images) > 0 {
			name, _, _ := strings.Cut(images[0], "@")
			if tag := name[strings.LastIndex(name, ":")+1:]; isExact(tag) {
				version = tag
			}
		}
	} else if v, ok := p.(Versioner); ok && version == "" {
		if all, err := v.Versions(ctx); err == nil && len(all) > 0 {
			version = all[0]
		}
	}
	if !isExact(version) || regexp.MustCompile(`-(alpha|beta|rc)`).MatchString(version) {
		return "" // the order of pre-releases depends on the constraint
	}
	return strings.Replace(version, "-", "+", 1)
}

// isExact reports whether a version names one release, which an image can bear as its tag.
func isExact(v string) bool {
	return regexp.MustCompile(`^v1\.[0-9]{1,3}\.[0-9]{1,3}(-[0-9A-Za-z.-]{1,32})?$`).MatchString(v)
}

// isVersion reports whether a version is exact, or can be resolved.
func isVersion(v string) bool {
	return v == VersionLatest || regexp.MustCompile(`^v1\.[0-9]{1,3}(\.[0-9]{1,3}([-+][0-9A-Za-z.-]{1,32})?)?$`).MatchString(v)
}
