// Package ui prints. Results go to stdout as tables, JSON or YAML; progress, warnings and
// errors go to stderr. No other package of lab prints.
//
// A command prints its result once, at the end:
//
//	return ui.Print(streams.Out, format, cluster, func() ui.View {
//		return clusterTable(cluster)
//	})
//
// and passes the Report method of a [Progress] to work that takes time:
//
//	progress := ui.NewProgress(streams, mode, ui.ProgressOptions{Cluster: name})
//	defer progress.Close()
//	err := labs.Up(ctx, request, progress.Report)
//
// A [Stream] determines when it is created whether it can show colors, Unicode and lines that
// are redrawn in place.
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

// Format is the output format of results. It is a flag value.
type Format string

// The formats.
const (
	FormatTable Format = "table" // for users; may change
	FormatJSON  Format = "json"
	FormatYAML  Format = "yaml"
)

// Set parses s. It returns [fault.ErrInvalid] if s is not a format.
func (f *Format) Set(s string) error {
	return choose(f, s, "output format", FormatTable, FormatJSON, FormatYAML)
}

// String returns the value of the flag.
func (f *Format) String() string { return string(*f) }

// Type returns the choices for the help of the flag.
func (f *Format) Type() string { return "table|json|yaml" }

// View is a result for users: a [*Table] or [*Details].
type View interface {
	// render returns the lines of the view, in the colors of out. It cuts them to width, unless
	// width is 0.
	render(out *Stream, width int) []string
}

// Print writes a result to out: obj as JSON or YAML by its JSON tags or, for [FormatTable],
// the view. It replaces user names and passwords in URLs, see [fault.Redact]. It returns
// errors of marshaling and writing.
func Print(out *Stream, format Format, obj any, view func() View) error {
	switch format {
	case FormatJSON:
		return writeJSON(out, obj, "  ")
	case FormatYAML:
		text, err := yaml.Marshal(obj)
		if err != nil {
			return fmt.Errorf("cannot convert the result to YAML: %w", err)
		}
		_, err = io.WriteString(out, fault.Redact(string(text)))
		return err
	}
	return PrintView(out, view())
}

// PrintView writes a result that has only a view.
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

// writeJSON writes obj and a newline in one Write. It does not escape < and &, because the
// output is not embedded in HTML.
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

// choose sets *to to the choice that equals s, or returns [fault.ErrInvalid].
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
