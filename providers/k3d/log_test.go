package k3d

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/k3d-io/k3d/v5/pkg/logger"

	"github.com/clusterlab-dev/lab/providers/event"
)

// TestMessages checks that a message is reported for the cluster that it names, and dropped if
// it names none.
func TestMessages(t *testing.T) {
	m := &messages{}
	var got []string
	report := event.Reporter(func(e event.Event) {
		if e.State == event.Progress {
			got = append(got, e.Step+": "+e.Message)
		}
	})
	unfollow := m.follow("lab", report.Start("one"))
	defer m.follow("lab2", report.Start("two"))()
	log := logger.Log()
	log.Infof("Creating node '%s'", "k3d-lab-server-0")
	log.Warnf("Node k3d-lab2-agent-0 is slow:\nvery slow")
	log.Infoln("Prep: Network")
	log.Debugf("Created node '%s'", "k3d-lab-server-0")
	unfollow()
	log.Infof("Starting node '%s'", "k3d-lab-server-0")
	want := []string{"one: Creating node 'k3d-lab-server-0'", "two: Node k3d-lab2-agent-0 is slow:"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
