package minikube

import (
	"encoding/json"
	"strings"

	"github.com/clusterlab-dev/lab/providers/event"
)

// startEvent is what lab reads of a line that minikube writes with --output=json.
type startEvent struct {
	Type string
	Data struct {
		Name     string // of the step, or of an error: "GUEST_PROVISION"
		Message  string
		ExitCode string // only of an error that ends minikube
		Advice   string
		URL      string
		Artifact string // of a download
		Progress string // of a download: "0.34"
	}
}

// The types of events.
const (
	typePrefix   = "io.k8s.sigs.minikube."
	typeStep     = typePrefix + "step"
	typeError    = typePrefix + "error"
	typeWarning  = typePrefix + "warning"
	typeDownload = typePrefix + "download"
	typeProgress = typePrefix + "download.progress"
)

// stepDone is the name of the event that follows the last step.
const stepDone = "Done"

// The steps after kubeadm, of which minikube may leave out the first.
const (
	stepCNI    = "Configuring CNI"
	stepVerify = "Verifying Kubernetes"
)

// decode returns the event of a line, and false if the line is not an event.
func decode(line []byte) (startEvent, bool) {
	var e startEvent
	err := json.Unmarshal(line, &e)
	return e, err == nil && strings.HasPrefix(e.Type, typePrefix)
}

// listener turns minikube's output into progress and, in the end, an error.
type listener struct {
	begin func(step string)    // called when a step begins; may be nil
	moved func(message string) // called with the progress of the current step

	afterKubeadm func() // called once, when kubeadm has created the control plane; may be nil

	step  string     // the current one
	said  int        // the number of events
	fatal startEvent // the error that ended minikube
	words []string   // the last lines that are not events
}

// take handles a line.
func (l *listener) take(line []byte) {
	e, ok := decode(line)
	if !ok {
		l.remember(string(line))
		return
	}
	l.said++
	switch e.Type {
	case typeStep:
		if l.step != e.Data.Name && e.Data.Name != stepDone && l.begin != nil {
			l.begin(e.Data.Name)
		}
		if l.afterKubeadm != nil && (e.Data.Name == stepCNI || e.Data.Name == stepVerify) {
			l.afterKubeadm()
			l.afterKubeadm = nil
		}
		if l.step = e.Data.Name; l.step != stepDone {
			l.moved(e.Data.Message)
		}
	case typeWarning:
		l.moved(e.Data.Message)
	case typeDownload:
		l.moved("downloading " + e.Data.Artifact)
	case typeProgress:
		l.moved("downloading " + e.Data.Artifact + " " + percent(e.Data.Progress))
	case typeError:
		if e.Data.ExitCode != "" {
			l.fatal = e
		} else {
			l.remember(e.Data.Message)
		}
	}
}

// remember keeps the last lines that are not events.
func (l *listener) remember(line string) {
	const most = 12
	l.words = append(l.words, line)
	l.words = l.words[max(0, len(l.words)-most):]
}

// percent returns a fraction such as "0.34" as "34%".
func percent(share string) string {
	var f float64
	if err := json.Unmarshal([]byte(share), &f); err != nil || f < 0 || f > 1 {
		return share
	}
	text, _ := json.Marshal(int(100 * f)) // of a number: never fails
	return string(text) + "%"
}

// steps returns a listener that reports each of minikube's steps, and a function that ends the
// last one.
func steps(report event.Reporter) (l *listener, end func(error)) {
	var now *event.Step
	end = func(err error) {
		if now != nil {
			now.End(err)
		}
		now = nil
	}
	l = &listener{
		begin: func(name string) {
			end(nil)
			now = report.Start(name)
		},
		moved: func(message string) {
			if now != nil {
				now.Progress(message)
			}
		},
	}
	return l, end
}

// quiet returns a listener for a command that writes no events, and reports nothing.
func quiet() *listener { return &listener{moved: func(string) {}, said: 1} }

// inside returns a listener that reports minikube's steps as progress of one step.
func inside(step *event.Step) *listener { return &listener{moved: step.Progress} }
