package lab

import (
	"cmp"
	"context"
	"fmt"
)

const kubectl = "kubectl"

// skew returns a note for each of lab's clusters that kubectl is not made for. The one that
// is there counts, or else the one that lab would install.
func (l *Lab) skew(ctx context.Context, t Tool) []string {
	version := cmp.Or(t.Installed, t.Version)
	list, _ := l.List(ctx, false) // clusters whose tool cannot be asked have no version
	var notes []string
	for _, c := range list.Items {
		if tooFar(version, c.KubernetesVersion) {
			notes = append(notes, fmt.Sprintf("%s is made for versions of Kubernetes next to its own, and %s has %s", version, c.Name, c.KubernetesVersion))
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
