package ui

// Mode says how progress is shown. It is a flag value: [Mode.Set] parses.
type Mode string

// The modes.
const (
	ModeAuto  Mode = "auto"  // tty on a terminal that a person watches, else plain
	ModeTTY   Mode = "tty"   // lines that are drawn anew as the work goes on
	ModePlain Mode = "plain" // a line when a step starts and ends, for logs
	ModeJSON  Mode = "json"  // an object a line, for programs
	ModeQuiet Mode = "quiet" // errors only
)

// Set parses s. It returns [fault.ErrInvalid] for anything but a mode.
func (m *Mode) Set(s string) error {
	return choose(m, s, "progress mode", ModeAuto, ModeTTY, ModePlain, ModeJSON, ModeQuiet)
}

// String returns the mode as it is written on the command line.
func (m *Mode) String() string { return string(*m) }

// Type names the choices, for the help text of a flag.
func (m *Mode) Type() string { return "auto|tty|plain|json|quiet" }

// on settles what auto, or no mode at all, means on the given stream. A CI job may
// have a terminal, but its log keeps every frame that is drawn on it.
func (m Mode) on(out *Stream) Mode {
	switch {
	case m != ModeAuto && m != "":
		return m
	case out.IsTerminal() && !out.env.set("CI") && !out.env.dumb():
		return ModeTTY
	}
	return ModePlain
}
