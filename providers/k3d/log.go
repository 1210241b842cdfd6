package k3d

import (
	"io"
	"strings"
	"sync"

	"github.com/k3d-io/k3d/v5/pkg/logger"
	"github.com/sirupsen/logrus"

	"github.com/clusterlab-dev/lab/providers/event"
)

// messages makes progress of what k3d logs. k3d tells of its work in no other way than by
// lines of text in one log for the whole process, so a line belongs to the cluster whose
// container it names, and what names none is dropped. It implements [logrus.Hook].
type messages struct {
	once  sync.Once
	mu    sync.Mutex
	steps map[string]*event.Step // by the beginning of the names of a cluster's containers
}

// follow has a step report what k3d says of a cluster, until the returned function is
// called.
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

// Fire takes one line.
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
