package ui

import (
	"bytes"
	"strings"
)

// Test returns streams for tests, and what is written to them. They are terminals of
// that width, 24 lines high, or no terminals where width is 0. env is the whole
// environment; nil is an empty one, so without colours in a pipe, and ASCII.
func Test(width int, env map[string]string) (streams *Streams, stdout, stderr *bytes.Buffer) {
	stdout, stderr = &bytes.Buffer{}, &bytes.Buffer{}
	lookup := lookupIn(env)
	var size func() (int, int)
	if width > 0 {
		size = func() (int, int) { return width, defaultHeight }
	}
	return &Streams{
		In:  strings.NewReader(""),
		Out: newStream(stdout, size, lookup),
		Err: newStream(stderr, size, lookup),
	}, stdout, stderr
}

func lookupIn(env map[string]string) environment {
	return func(key string) (string, bool) {
		value, ok := env[key]
		return value, ok
	}
}
