package lab

import (
	"cmp"
	"context"
	"fmt"
)

const kubectl = "kubectl"

// skew returns notes on the kubectl that is there, or else would be installed: it works with
// versions of Kubernetes next to its own, those of lab's clusters and of the kubectl in the
// catalogue, which fits what lab makes where nothing else is asked for.
func (l *Lab) skew(ctx context.Context, t Tool) []string {
	version := cmp.Or(t.Installed, t.Version)
	var notes []string
	if tooFar(version, t.Version) {
		notes = append(notes, fmt.Sprintf("%s is too far from %s to work well with new clusters", version, t.Version))
	}
	list, _ := l.List(ctx, false) // clusters whose tool cannot be asked have no version
	for _, c := range list.Items {
		if tooFar(version, c.KubernetesVersion) {
			notes = append(notes, fmt.Sprintf("%s is too far from %s, which is %s", version, c.Name, c.KubernetesVersion))
		}
	}
	return notes
}

// tooFar tells whether two versions, "v1.37.2", are more than one minor version apart. What
// cannot be read is near enough.
func tooFar(a, b string) bool {
	var majorA, minorA, majorB, minorB int
	if _, err := fmt.Sscanf(a, "v%d.%d", &majorA, &minorA); err != nil {
		return false
	}
	if _, err := fmt.Sscanf(b, "v%d.%d", &majorB, &minorB); err != nil {
		return false
	}
	return majorA != majorB || minorA-minorB > 1 || minorB-minorA > 1
}
