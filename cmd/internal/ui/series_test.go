package ui

import "testing"

// TestSeriesOmitsRepetitions checks that a result that looks like the one before is not printed again.
func TestSeriesOmitsRepetitions(t *testing.T) {
	t.Parallel()
	streams, out, _ := Test(80, nil)
	s := NewSeries(streams.Out, FormatTable)
	for _, text := range []string{"one", "one", "two", "one"} {
		p := &Page{}
		p.Line(text)
		if err := s.Print(nil, p); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := out.String(), "one\n\ntwo\n\none\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestCodeIsNotBroken checks that a line is broken before code that does not fit on it, not within the code.
func TestCodeIsNotBroken(t *testing.T) {
	t.Parallel()
	for want, env := range map[string]map[string]string{
		"Switch to it:\n`lab ns rollback`.\nThen go on.": {"NO_COLOR": "1"},
		"Switch to it:\nlab ns rollback.\nThen go on.":   {"TERM": "xterm"},
	} {
		streams, out, _ := Test(20, env)
		p := &Page{}
		p.Markdown("Switch to it: `lab ns rollback`. Then go on.")
		if err := PrintView(streams.Out, p); err != nil {
			t.Fatal(err)
		}
		if got := clean(out.String()); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
