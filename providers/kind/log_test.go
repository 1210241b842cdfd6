package kind

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/kind/pkg/log"

	"github.com/clusterlab-dev/lab/providers/event"
)

func TestSteps(t *testing.T) {
	t.Parallel()
	var got []string
	var kinds log.Logger
	s := &steps{report: func(e event.Event) { got = append(got, string(e.State)+" "+e.Step+" "+e.Message) }}
	kinds = s
	kinds.Warn("before anything")
	if s.started() {
		t.Error("nothing has begun")
	}
	kinds.V(0).Infof("Creating cluster %q ...\n", "lab")
	kinds.V(0).Infof(" • %s  ...\n", "Ensuring node image (kindest/node:v1.37.0) 🖼")
	kinds.V(1).Info(" • hidden  ...\n")
	kinds.V(0).Infof(" ✓ %s\n", "Ensuring node image (kindest/node:v1.37.0) 🖼")
	kinds.V(0).Infof(" • %s  ...\n", "Preparing nodes 📦 📦 ")
	kinds.Warnf("slow %s", "disk\n")
	kinds.V(0).Infof(" ✗ %s\n", "Preparing nodes 📦 📦 ")
	s.close(errors.New("no room"))
	kinds.V(0).Infof(" • %s  ...\n", "too late")
	kinds.Error("too late")
	want := []string{
		"started Ensuring node image (kindest/node:v1.37.0) ", "done Ensuring node image (kindest/node:v1.37.0) ",
		"started Preparing nodes ", "progress Preparing nodes slow disk", "failed Preparing nodes no room",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !s.started() {
		t.Error("it had begun")
	}
}
