package ui

import "github.com/clusterlab-dev/lab/providers/event"

// apiVersion is the version of all objects.
const apiVersion = "lab/v1alpha1"

// jsonLines writes an object on each line. Scripts rely on the fields.
type jsonLines struct{ out *Stream }

type jsonEvent struct {
	Time      string      `json:"time"` // RFC 3339, UTC
	Cluster   string      `json:"cluster"`
	Step      string      `json:"step"`
	State     event.State `json:"state"`
	Message   string      `json:"message"`
	ElapsedMs int64       `json:"elapsedMs"`
}

type jsonMessage struct {
	APIVersion string      `json:"apiVersion"`
	Kind       messageKind `json:"kind"`
	Message    string      `json:"message"`
}

func (j *jsonLines) event(e event.Event) {
	j.write(jsonEvent{
		Time:      e.Time.UTC().Format("2006-01-02T15:04:05.000Z07:00"),
		Cluster:   e.Cluster,
		Step:      e.Step,
		State:     e.State,
		Message:   clean(e.Message),
		ElapsedMs: e.Elapsed.Milliseconds(),
	})
}

func (j *jsonLines) say(kind messageKind, text string) {
	j.write(jsonMessage{APIVersion: apiVersion, Kind: kind, Message: text})
}

func (j *jsonLines) write(object any) {
	_ = writeJSON(j.out, object, "") // progress cannot report an error
}

func (j *jsonLines) tick()  {}
func (j *jsonLines) close() {}

// quiet shows nothing.
type quiet struct{}

func (quiet) event(event.Event)       {}
func (quiet) say(messageKind, string) {}
func (quiet) tick()                   {}
func (quiet) close()                  {}
