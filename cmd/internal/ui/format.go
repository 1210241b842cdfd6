package ui

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// Format says how a result is printed. It is a flag value: [Format.Set] parses.
type Format string

// The formats.
const (
	FormatTable Format = "table" // for people; may change
	FormatJSON  Format = "json"
	FormatYAML  Format = "yaml"
)

// Set parses s. It returns [fault.ErrInvalid] for anything but a format.
func (f *Format) Set(s string) error {
	return choose(f, s, "output format", FormatTable, FormatJSON, FormatYAML)
}

// String returns the format as it is written on the command line.
func (f *Format) String() string { return string(*f) }

// Type names the choices, for the help text of a flag.
func (f *Format) Type() string { return "table|json|yaml" }

// View is a result as a person reads it: a [*Table] or [*Details].
type View interface {
	// render returns the lines of it, coloured as out can show, and cut to width
	// unless that is 0.
	render(out *Stream, width int) []string
}

// Print writes a result to out: obj by its JSON tags, or for [FormatTable] what view
// returns. JSON is indented and ends with a newline. User names and passwords in URLs are
// left out, see [fault.Redact]. It returns the errors of marshaling and of writing.
func Print(out *Stream, format Format, obj any, view func() View) error {
	switch format {
	case FormatJSON:
		return writeJSON(out, obj, "  ")
	case FormatYAML:
		text, err := yaml.Marshal(obj)
		if err != nil {
			return fmt.Errorf("write the result as YAML: %w", err)
		}
		_, err = io.WriteString(out, fault.Redact(string(text)))
		return err
	}
	return PrintView(out, view())
}

// PrintView writes a result that has no other form than the one for people.
func PrintView(out *Stream, view View) error {
	width := 0
	if out.IsTerminal() {
		width = out.Width()
	}
	var b strings.Builder
	for _, line := range view.render(out, width) {
		b.WriteString(line + "\n")
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// writeJSON writes one object and a newline, in a single Write, and leaves < and &
// as they are: nothing of this ends up in HTML, and people read it.
func writeJSON(w io.Writer, obj any, indent string) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	if err := encoder.Encode(obj); err != nil {
		return err
	}
	_, err := io.WriteString(w, fault.Redact(text.String()))
	return err
}

// choose sets *to to the one of the choices that s names.
func choose[T ~string](to *T, s, what string, choices ...T) error {
	names := make([]string, len(choices))
	for i, choice := range choices {
		if s == string(choice) {
			*to = choice
			return nil
		}
		names[i] = string(choice)
	}
	return fault.Errorf(fault.ErrInvalid, "unknown %s %q: use one of %s", what, s, strings.Join(names, ", "))
}
