package bench

import (
	"sync"
	"time"
)

// sampled is how often the memory is read during a measurement.
const sampled = 100 * time.Millisecond

// Machine describes the machine of a measurement.
type Machine struct {
	OS          string   `json:"os"`
	Arch        string   `json:"arch"`
	CPUs        int      `json:"cpus"`
	Model       string   `json:"model,omitempty"`  // of the processors
	Kernel      string   `json:"kernel,omitempty"` // its release
	MemoryBytes *float64 `json:"memoryBytes"`
}

// Counters are what the machine counts. A counter that it does not have is nil.
type Counters struct {
	Busy      *float64 // seconds that the processors were busy, since the machine started
	Total     *float64 // the same, idle or busy
	Available *float64 // bytes of memory that programs can still get
	Received  *float64 // bytes from other machines
}

// Meter reads the counters of the machine.
type Meter interface {
	Machine() Machine
	Read() Counters
}

// difference returns to-from, or nil if one is missing.
func difference(from, to *float64) *float64 {
	if from == nil || to == nil {
		return nil
	}
	d := *to - *from
	return &d
}

// busyShare returns the share of the processors that was in use between two readings, or nil.
func busyShare(from, to Counters) *float64 {
	busy, total := difference(from.Busy, to.Busy), difference(from.Total, to.Total)
	if busy == nil || total == nil || *total <= 0 {
		return nil
	}
	share := *busy / *total
	return &share
}

// measurement is a running measurement.
type measurement struct {
	meter Meter
	from  Counters
	began time.Time
	done  chan struct{}
	stop  func() // ends the measurement; it may be called again

	mu     sync.Mutex
	lowest *float64 // of the available memory
}

// begin starts a measurement.
func begin(meter Meter) *measurement {
	m := &measurement{meter: meter, done: make(chan struct{})}
	m.stop = sync.OnceFunc(func() { close(m.done) })
	m.from, m.began = meter.Read(), time.Now()
	m.lowest = m.from.Available
	go m.watch()
	return m
}

// watch reads the available memory until the measurement ends.
func (m *measurement) watch() {
	tick := time.NewTicker(sampled)
	defer tick.Stop()
	for {
		select {
		case <-m.done:
			return
		case <-tick.C:
			m.lower(m.meter.Read().Available)
		}
	}
}

func (m *measurement) lower(available *float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if available != nil && m.lowest != nil && *available < *m.lowest {
		m.lowest = available
	}
}

// end ends the measurement and returns what it measured.
func (m *measurement) end() Round {
	took := time.Since(m.began)
	to := m.meter.Read()
	m.stop()
	m.lower(to.Available)
	m.mu.Lock()
	defer m.mu.Unlock()
	return Round{
		Seconds: took.Seconds(), CPUSeconds: difference(m.from.Busy, to.Busy),
		PeakMemoryBytes: difference(m.lowest, m.from.Available), ReceivedBytes: difference(m.from.Received, to.Received),
	}
}
