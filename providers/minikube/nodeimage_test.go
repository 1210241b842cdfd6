package minikube

import (
	"errors"
	"slices"
	"testing"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// TestNodeImages checks that the image of nodes in containers is named, that virtual machines need none, and that an
// image that only minikube knows is an error with a hint.
func TestNodeImages(t *testing.T) {
	spec := providers.Spec{Name: "lab", ControlPlanes: 1}
	p := New(Options{BaseImage: "kicbase:v1"})
	if got, err := p.NodeImages(spec); err != nil || !slices.Equal(got, []string{"kicbase:v1"}) {
		t.Errorf("%q, %v", got, err)
	}
	inMachine := spec
	inMachine.Driver = "kvm2"
	if got, err := p.NodeImages(inMachine); err != nil || len(got) > 0 {
		t.Errorf("a virtual machine: %q, %v", got, err)
	}
	_, err := New(Options{}).NodeImages(spec)
	if !errors.Is(err, fault.ErrUnsupported) || fault.HintOf(err) != "name the image: export LAB_IMAGES_MINIKUBE_BASE=IMAGE" {
		t.Errorf("%v (hint %q)", err, fault.HintOf(err))
	}
}
