package ui

import "testing"

func TestColor(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		env      map[string]string
		terminal bool
		want     bool
	}{
		{"a terminal", nil, true, true},
		{"a pipe", nil, false, false},
		{"NO_COLOR", map[string]string{"NO_COLOR": "0"}, true, false},
		{"an empty NO_COLOR", map[string]string{"NO_COLOR": ""}, true, true},
		{"NO_COLOR overrides CLICOLOR_FORCE", map[string]string{"NO_COLOR": "1", "CLICOLOR_FORCE": "1"}, true, false},
		{"forced into a pipe", map[string]string{"CLICOLOR_FORCE": "1"}, false, true},
		{"forced with 0", map[string]string{"CLICOLOR_FORCE": "0"}, false, false},
		{"CLICOLOR=0", map[string]string{"CLICOLOR": "0"}, true, false},
		{"CLICOLOR=1 in a pipe", map[string]string{"CLICOLOR": "1"}, false, false},
		{"dumb", map[string]string{"TERM": "dumb"}, true, false},
	} {
		if got := lookupIn(test.env).color(test.terminal); got != test.want {
			t.Errorf("%s: color is %v, want %v", test.name, got, test.want)
		}
	}
}

func TestUnicode(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		env  map[string]string
		want bool
	}{
		{"LANG", map[string]string{"LANG": "de_DE.UTF-8"}, true},
		{"utf8", map[string]string{"LANG": "C.utf8"}, true},
		{"Latin 1", map[string]string{"LANG": "de_DE.ISO-8859-1"}, false},
		{"LC_ALL overrides LANG", map[string]string{"LC_ALL": "C", "LANG": "en_US.UTF-8"}, false},
		{"LC_CTYPE overrides LANG", map[string]string{"LC_CTYPE": "UTF-8", "LANG": "C"}, true},
		{"an empty LC_ALL", map[string]string{"LC_ALL": "", "LANG": "en_US.UTF-8"}, true},
	} {
		if got := lookupIn(test.env).unicode(); got != test.want {
			t.Errorf("%s: unicode is %v, want %v", test.name, got, test.want)
		}
	}
}

func TestWidth(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		terminal int // columns; 0: unknown; -1: not a terminal
		columns  string
		want     int
	}{
		{"a terminal with a size", 120, "40", 120},
		{"a terminal without a size", 0, "40", 40},
		{"a pipe", -1, "40", 40},
		{"an unknown size", -1, "", 80},
		{"COLUMNS is not a number", -1, "wide", 80},
		{"COLUMNS is negative", -1, "-3", 80},
	} {
		var size func() (int, int)
		if test.terminal >= 0 {
			size = func() (int, int) { return test.terminal, 0 }
		}
		stream := newStream(nil, size, lookupIn(map[string]string{"COLUMNS": test.columns}))
		if got := stream.Width(); got != test.want {
			t.Errorf("%s: %d columns, want %d", test.name, got, test.want)
		}
	}
}

func TestModeOn(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		mode  Mode
		width int // of the terminal; 0: not a terminal
		env   map[string]string
		want  Mode
	}{
		{"a terminal", ModeAuto, 80, nil, ModeTTY},
		{"no mode", "", 80, nil, ModeTTY},
		{"a pipe", ModeAuto, 0, nil, ModePlain},
		{"CI", ModeAuto, 80, map[string]string{"CI": "true"}, ModePlain},
		{"not CI", ModeAuto, 80, map[string]string{"CI": "false"}, ModeTTY},
		{"dumb", ModeAuto, 80, map[string]string{"TERM": "dumb"}, ModePlain},
		{"tty", ModeTTY, 0, map[string]string{"CI": "true"}, ModeTTY},
		{"quiet on a terminal", ModeQuiet, 80, nil, ModeQuiet},
	} {
		streams, _, _ := Test(test.width, test.env)
		if got := test.mode.on(streams.Err); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func TestNoColor(t *testing.T) {
	t.Parallel()
	streams, _, stderr := Test(80, nil)
	streams.NoColor()
	RenderError(streams, errTest, ErrorOptions{})
	if got, want := stderr.String(), "error: it broke\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
