package helm

import (
	"strings"

	"helm.sh/helm/v3/pkg/release"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/cli-runtime/pkg/resource"
)

// whole tells whether all that a release made is still there. Somebody may have deleted
// some of it, and whoever asks for the addon wants it back.
func (s *session) whole(rel *release.Release) bool {
	infos, err := s.client.Build(strings.NewReader(rel.Manifest), false)
	if err != nil {
		return false // a kind of it has gone, for example
	}
	for _, info := range infos {
		_, err := resource.NewHelper(info.Client, info.Mapping).Get(info.Namespace, info.Name)
		if apierrors.IsNotFound(err) {
			return false
		}
	}
	return true
}
