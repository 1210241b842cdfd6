package learning

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// The events of an exercise.
const (
	eventStarted  = "started"
	eventChecked  = "checked" // and not passed
	eventHint     = "hint"
	eventSolution = "solution"
	eventReset    = "reset"
	eventHalf     = "half" // passed, except for checks that need containers that run
	eventPassed   = "passed"
)

// The states of an exercise.
const (
	StateNew     = "new"
	StateStarted = "started"
	StateHalf    = "half"
	StatePassed  = "passed"
)

// maxProgress is the number of bytes that are read of a progress file. It fits more than a hundred thousand events.
const maxProgress = 16 << 20

// record is one line of the progress file.
type record struct {
	Time     time.Time `json:"time"`
	Event    string    `json:"event"`
	Pack     string    `json:"pack"`
	Exercise string    `json:"exercise"`
	Cluster  string    `json:"cluster,omitempty"`
	Check    string    `json:"check,omitempty"` // that failed, or that the hint is for
	Hint     string    `json:"hint,omitempty"`
	Lang     string    `json:"lang,omitempty"` // that the student selected for the pack
}

// progressFile stores the events of a student as JSON lines. Lines are only appended. The first line has the format.
type progressFile struct{ path string }

// read returns the events. It skips lines that it cannot parse, because a power failure can truncate one. It returns
// ErrInvalid for a file of a newer lab, and ErrUnavailable if the file cannot be read.
func (p progressFile) read() (all []record, skipped int, err error) {
	f, err := os.Open(p.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, p.unavailable("read", err)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxProgress))
	if err != nil {
		return nil, 0, p.unavailable("read", err)
	}
	for i, line := range bytes.Split(data, []byte("\n")) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var header output.Meta
		if json.Unmarshal(line, &header) == nil && header.Kind != "" {
			if i > 0 || header == progressMeta() {
				continue
			}
			err := fault.Errorf(fault.ErrInvalid, "cannot use your progress in %s: it has the format %s %s, and this lab knows %s",
				p.path, header.Kind, header.APIVersion, output.APIVersion)
			return nil, 0, fault.WithHint(err, "upgrade lab; or start over: mv %s %s", fault.ShellWord(p.path), fault.ShellWord(p.path+".old"))
		}
		var e record
		if json.Unmarshal(line, &e) != nil || e.Event == "" || e.Exercise == "" {
			skipped++
			continue
		}
		all = append(all, e)
	}
	return all, skipped, nil
}

func progressMeta() output.Meta { return output.NewMeta("Progress") }

// append adds an event. Each event is one write, so that two lab processes can append at the same time.
func (p progressFile) append(e record) error {
	if err := os.MkdirAll(filepath.Dir(p.path), 0o700); err != nil {
		return p.unavailable("write", err)
	}
	f, err := os.OpenFile(p.path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return p.unavailable("write", err)
	}
	text, err := p.line(f, e)
	if err == nil {
		_, err = f.Write(text)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return p.unavailable("write", err)
	}
	return nil
}

// line returns an event as a line. The format precedes it in an empty file, and a newline after a truncated line.
func (p progressFile) line(f *os.File, e record) ([]byte, error) {
	var text bytes.Buffer
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	lines := json.NewEncoder(&text)
	if info.Size() == 0 {
		if err := lines.Encode(progressMeta()); err != nil {
			return nil, err
		}
	} else {
		last := make([]byte, 1)
		if _, err := f.ReadAt(last, info.Size()-1); err != nil {
			return nil, err
		}
		if last[0] != '\n' {
			text.WriteByte('\n')
		}
	}
	err = lines.Encode(e)
	return text.Bytes(), err
}

func (p progressFile) unavailable(verb string, err error) error {
	err = fault.Errorf(fault.ErrUnavailable, "cannot %s your progress: %w", verb, err)
	return fault.WithHint(err, "make %s a file that you can read and write, or use another directory: export LAB_HOME=DIR", fault.ShellWord(p.path))
}

// standing is the progress in one exercise.
type standing struct {
	state    string
	cluster  string         // of the last start
	seen     map[string]int // the number of steps that were shown of each CHECK/HINT since the last start
	solution bool           // whether the solution was shown since the last start
	check    string         // the check that failed last
	hint     string         // its hint
}

// history is the progress in all exercises.
type history struct {
	current   string // the exercise that was started last, as PACK/EXERCISE, or ""
	standing  map[string]*standing
	languages map[string]string // that the student selected, by pack
	skipped   int               // lines that could not be parsed
}

func (p progressFile) history() (history, error) {
	events, skipped, err := p.read()
	h := history{standing: map[string]*standing{}, languages: map[string]string{}, skipped: skipped}
	for _, e := range events {
		key := e.Pack + "/" + e.Exercise
		s := h.of(e.Pack, e.Exercise)
		h.standing[key] = s
		s.apply(e)
		if e.Event == eventStarted {
			h.current = key
		}
		if e.Lang != "" {
			h.languages[e.Pack] = e.Lang
		}
	}
	return h, err
}

// of returns the progress in an exercise.
func (h history) of(pack, exercise string) *standing {
	if s := h.standing[pack+"/"+exercise]; s != nil {
		return s
	}
	return &standing{state: StateNew, seen: map[string]int{}}
}

func (s *standing) apply(e record) {
	switch e.Event {
	case eventStarted, eventReset:
		s.seen, s.solution, s.check, s.hint = map[string]int{}, false, "", ""
		if s.state == StateNew {
			s.state = StateStarted
		}
		if e.Cluster != "" {
			s.cluster = e.Cluster
		}
	case eventChecked:
		s.check, s.hint = e.Check, e.Hint
	case eventHint:
		s.seen[e.Check+"/"+e.Hint]++
	case eventSolution:
		s.solution = true
	case eventHalf:
		if s.state != StatePassed {
			s.state = StateHalf
		}
	case eventPassed:
		s.state, s.check, s.hint = StatePassed, "", ""
	}
}

// now returns an event of an exercise.
func (l *Learning) now(kind string, e Choice) record {
	return record{Time: l.Inventory.Now().UTC().Truncate(time.Second), Event: kind, Pack: e.Exercise.Pack, Exercise: e.Exercise.Name, Cluster: e.Cluster}
}

// skippedWarning says that the progress file has damaged lines, or returns "".
func (h history) skippedWarning(path string) string {
	if h.skipped == 0 {
		return ""
	}
	return fmt.Sprintf("%d damaged lines of %s were ignored", h.skipped, path)
}
