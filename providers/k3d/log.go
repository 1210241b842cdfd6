package k3d

import (
	"io"
	"strings"
	"sync"

	"github.com/k3d-io/k3d/v5/pkg/logger"
	"github.com/sirupsen/logrus"

	"github.com/clusterlab-dev/lab/providers/event"
)

// messages turns k3d's log into progress. k3d reports its work only as lines of one log for the
// whole process, so a line belongs to the cluster whose container it names; others are dropped.
// It implements [logrus.Hook].
type messages struct {
	once  sync.Once
	mu    sync.Mutex
	steps map[string]*event.Step // by the beginning of the names of a cluster's containers
}

// follow has step report k3d's messages about a cluster, until the returned function is called.
func (m *messages) follow(cluster string, step *event.Step) (unfollow func()) {
	m.once.Do(func() {
		quiet()
		logger.Log().AddHook(m)
	})
	prefix := containerName(cluster, "") + "-"
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.steps == nil {
		m.steps = map[string]*event.Step{}
	}
	m.steps[prefix] = step
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.steps, prefix)
	}
}

// quiet has k3d and the Docker client print nothing.
func quiet() {
	logger.Log().SetOutput(io.Discard)
	logrus.SetOutput(io.Discard)
}

// Levels returns those that k3d logs at.
func (*messages) Levels() []logrus.Level { return logrus.AllLevels }

// Fire handles one line.
func (m *messages) Fire(e *logrus.Entry) error {
	line, _, _ := strings.Cut(strings.TrimSpace(e.Message), "\n")
	m.mu.Lock()
	defer m.mu.Unlock()
	for prefix, step := range m.steps {
		if strings.Contains(line, "'"+prefix) || strings.Contains(line, " "+prefix) {
			step.Progress(line)
		}
	}
	return nil
}
