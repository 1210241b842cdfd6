package bench

import (
	"cmp"
	"fmt"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/providers"
)

// Report is the result of [Bench.Run]. A value that this machine cannot measure is null.
type Report struct {
	output.Meta
	Time    time.Time    `json:"time"`
	Machine Machine      `json:"machine"`
	Lab     string       `json:"lab"` // the version of lab
	Against Against      `json:"against"`
	Methods Methods      `json:"methods"`
	Items   []Comparison `json:"items"`
}

// Comparison is the result of one flavor.
type Comparison struct {
	Flavor            string   `json:"flavor"`
	KubernetesVersion string   `json:"kubernetesVersion,omitempty"` // if one was requested
	Image             string   `json:"image,omitempty"`             // if one was requested
	Nodes             int      `json:"nodes"`
	Lab               Side     `json:"lab"`
	Peer              Side     `json:"peer"`
	Ratio             Ratio    `json:"ratio"` // of the median times, lab divided by peer
	Believable        bool     `json:"believable"`
	Doubts            []string `json:"doubts"` // why it is not believable
}

// Side is one of the two that are compared. Its values are medians of its rounds.
type Side struct {
	Name            string   `json:"name"`
	Version         string   `json:"version,omitempty"`  // of the tool, in its own words
	Commands        []string `json:"commands,omitempty"` // of the tool
	Seconds         float64  `json:"seconds"`
	CPUSeconds      *float64 `json:"cpuSeconds"`
	PeakMemoryBytes *float64 `json:"peakMemoryBytes"`
	ReceivedBytes   *float64 `json:"receivedBytes"`
	Steps           []Step   `json:"steps"`
	Rounds          []Round  `json:"rounds"`
}

// Round is one measurement.
type Round struct {
	Seconds         float64  `json:"seconds"`
	CPUSeconds      *float64 `json:"cpuSeconds"`
	PeakMemoryBytes *float64 `json:"peakMemoryBytes"`
	ReceivedBytes   *float64 `json:"receivedBytes"`
	BusyBefore      *float64 `json:"busyBefore"` // the share of the processors that other programs used just before
	Steps           []Step   `json:"steps"`
}

// Step is one step of a creation. Steps may overlap.
type Step struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
}

// Methods says how each value is measured.
type Methods struct {
	Seconds         string `json:"seconds"`
	CPUSeconds      string `json:"cpuSeconds"`
	PeakMemoryBytes string `json:"peakMemoryBytes"`
	ReceivedBytes   string `json:"receivedBytes"`
}

func methods() Methods {
	return Methods{
		Seconds: "from the start of the creation until the API server reports all nodes as ready and an address of DNS as ready, " +
			"for both sides by the same code; lab runs inside this process, so the start of its program is not included",
		CPUSeconds: "all processors of this machine that were not idle, /proc/stat; includes the engine, its containers and other programs; " +
			"null without /proc, and not the work of an engine on another machine",
		PeakMemoryBytes: "how far MemAvailable of /proc/meminfo fell, read ten times a second; includes other programs; null without /proc",
		ReceivedBytes: "what the network interfaces with a default route received, /proc/net/dev; includes other programs; " +
			"null without /proc and without a default route",
	}
}

const (
	// fewRounds is the number of rounds below which an interval says little.
	fewRounds = 5

	// busyMachine is the share of the processors that other programs may use. Above it, the
	// times of both sides depend more on these programs than on lab.
	busyMachine = 0.25

	// wideSpread is the spread of the rounds of one side, in relation to its median, above which
	// they measured something else than the tool.
	wideSpread = 0.5
)

// comparison returns the result of one flavor.
func comparison(flavor string, spec providers.Spec, lab, peer Side) Comparison {
	c := Comparison{
		Flavor: flavor, KubernetesVersion: spec.KubernetesVersion, Image: spec.NodeImage, Nodes: nodesOf(spec),
		Lab: lab, Peer: peer, Ratio: ratioOf(lab.seconds(), peer.seconds()), Doubts: []string{},
	}
	if n := len(lab.Rounds); n < fewRounds {
		c.Doubts = append(c.Doubts, fmt.Sprintf("%d of at least %d rounds were measured", n, fewRounds))
	}
	if busy := max(lab.busiest(), peer.busiest()); busy > busyMachine {
		c.Doubts = append(c.Doubts, fmt.Sprintf("other programs used %.0f %% of the processors before a round", 100*busy))
	}
	for _, s := range []Side{lab, peer} {
		if wide := spread(s.seconds()); wide > wideSpread {
			c.Doubts = append(c.Doubts, fmt.Sprintf("the times of %s differ by %.0f %% of their median", s.Name, 100*wide))
		}
	}
	c.Believable = len(c.Doubts) == 0
	return c
}

func (s Side) seconds() []float64 {
	all := make([]float64, len(s.Rounds))
	for i, r := range s.Rounds {
		all[i] = r.Seconds
	}
	return all
}

func (s Side) busiest() float64 {
	most := 0.0
	for _, r := range s.Rounds {
		if r.BusyBefore != nil {
			most = max(most, *r.BusyBefore)
		}
	}
	return most
}

// summarize returns the side with the medians of its rounds.
func (s Side) summarize() Side {
	s.Seconds = median(s.seconds())
	s.CPUSeconds = s.medianOf(func(r Round) *float64 { return r.CPUSeconds })
	s.PeakMemoryBytes = s.medianOf(func(r Round) *float64 { return r.PeakMemoryBytes })
	s.ReceivedBytes = s.medianOf(func(r Round) *float64 { return r.ReceivedBytes })
	s.Steps = s.steps()
	return s
}

// medianOf returns the median of a value that each round may lack, or nil.
func (s Side) medianOf(value func(Round) *float64) *float64 {
	var all []float64
	for _, r := range s.Rounds {
		if v := value(r); v != nil {
			all = append(all, *v)
		}
	}
	if len(all) == 0 {
		return nil
	}
	m := median(all)
	return &m
}

// steps returns the median of each step, in the order of the first round. A step that occurs
// several times in a round counts as one.
func (s Side) steps() []Step {
	took, names := map[string][]float64{}, []string{}
	for i, r := range s.Rounds {
		for _, step := range r.Steps {
			if took[step.Name] == nil {
				names = append(names, step.Name)
				took[step.Name] = make([]float64, len(s.Rounds))
			}
			took[step.Name][i] += step.Seconds
		}
	}
	steps := []Step{}
	for _, name := range names {
		steps = append(steps, Step{Name: name, Seconds: median(took[name])})
	}
	return steps
}

// Longest returns the steps of a side that took at least a tenth of its time, in order.
func (s Side) Longest() []Step {
	var long []Step
	for _, step := range s.Steps {
		if cmp.Compare(step.Seconds, s.Seconds/10) >= 0 {
			long = append(long, step)
		}
	}
	return long
}
