package bundles

import (
	"fmt"
	"io"
	"time"

	"github.com/clusterlab-dev/lab/providers/event"
)

// meter reports the progress, the speed and the remaining time of a transfer.
type meter struct {
	step    *event.Step
	total   int64 // in bytes
	done    int64 // of content that arrived or was stored before
	moved   int64 // that arrived now
	started time.Time
	shown   time.Time
}

func newMeter(total int64, step *event.Step) *meter {
	return &meter{step: step, total: total, started: time.Now()}
}

// between is the time between two reports.
const between = 200 * time.Millisecond

// add counts n bytes.
func (m *meter) add(n int) {
	m.done += int64(n)
	m.moved += int64(n)
	if now := time.Now(); now.Sub(m.shown) >= between {
		m.shown = now
		m.step.Progress(m.text(now))
	}
}

func (m *meter) text(now time.Time) string {
	text := fmt.Sprintf("%s of %s", event.Size(m.done), event.Size(m.total))
	took := now.Sub(m.started).Seconds()
	if took < 1 || m.moved == 0 {
		return text
	}
	rate := float64(m.moved) / took
	left := time.Duration(float64(max(0, m.total-m.done)) / rate * float64(time.Second)).Round(time.Second)
	return fmt.Sprintf("%s, %s/s, %s left", text, event.Size(int64(rate)), left)
}

// reader returns a reader that counts the bytes that are read from r.
func (m *meter) reader(r io.Reader) io.Reader { return metered{r, m} }

type metered struct {
	io.Reader
	meter *meter
}

// Read implements [io.Reader].
func (r metered) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.meter.add(n)
	return n, err
}
