package ui

import (
	"fmt"
	"strings"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// lastWords is how many lines of a tool's output an error shows.
const lastWords = 15

// ErrorOptions tune [RenderError].
type ErrorOptions struct {
	JSON    bool // one line for programs, in place of the text for people
	Verbose bool // all output of the tool, also what the message leaves out
}

type jsonError struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Code       int    `json:"code"`
	Reason     string `json:"reason"`
	Message    string `json:"message"`
	Hint       string `json:"hint"`
}

// RenderError prints err on stderr: what failed, the last words of the tool, and the
// hint. Nothing may be printed after it. nil prints nothing.
func RenderError(streams *Streams, err error, options ErrorOptions) {
	if err == nil {
		return
	}
	text := err.Error()
	if detail := fault.DetailOf(err); options.Verbose && detail != "" {
		text += "\n" + detail
	}
	message, hint := clean(fault.Redact(plainWords(text))), clean(fault.Redact(fault.HintOf(err)))
	if options.JSON {
		code, reason := Classify(err)
		// Strings and numbers always marshal; a lost stderr leaves the exit code.
		_ = writeJSON(streams.Err, jsonError{apiVersion, "Error", code, reason, message, hint}, "")
		return
	}
	theme := streams.Err.theme
	shown := strings.Split(message, "\n")
	if !options.Verbose {
		shown = shorten(shown)
	}
	paragraph(streams.Err, theme.bad.Bold(true).Render("error:"), shown, "  ")
	if hint != "" {
		paragraph(streams.Err, theme.title.Render("hint:"), strings.Split(hint, "\n"), "      ")
	}
}

// plainWords replaces what only programmers say.
func plainWords(message string) string {
	return strings.NewReplacer(
		"context canceled", "interrupted",
		"context deadline exceeded", "timed out",
	).Replace(message)
}

// clean is text that a tool wrote, safe to print and still of several lines.
func clean(text string) string { return strings.Join(lines(text), "\n") }

// shorten keeps the first line, which says what failed, and the end of what the tool
// said, where tools say why.
func shorten(text []string) []string {
	left := len(text) - 1 - lastWords
	if left <= 1 { // one line is no shorter than the note about it
		return text
	}
	note := fmt.Sprintf("(%d lines left out; -v shows all)", left)
	return append([]string{text[0], note}, text[1+left:]...)
}

// paragraph prints lines after a label, all but the first indented.
func paragraph(out *Stream, label string, text []string, indent string) {
	var b strings.Builder
	b.WriteString(label + " " + text[0] + "\n")
	for _, line := range text[1:] {
		b.WriteString(strings.TrimRight(indent+line, " ") + "\n")
	}
	// Nobody is there to hear of a lost stderr; the exit code tells.
	_, _ = out.Write([]byte(b.String()))
}
