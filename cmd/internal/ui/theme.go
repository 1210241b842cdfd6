package ui

import "github.com/charmbracelet/lipgloss"

// theme is the few styles there are. The colours are the first eight of the
// terminal's palette, which its owner chose to be readable on its background.
type theme struct {
	plain, title, faint, good, bad, busy lipgloss.Style
}

func newTheme(r *lipgloss.Renderer) theme {
	style := r.NewStyle().Inline(true)
	return theme{
		plain: style,
		title: style.Bold(true),
		faint: style.Faint(true),
		good:  style.Foreground(lipgloss.Color("2")),
		bad:   style.Foreground(lipgloss.Color("1")),
		busy:  style.Foreground(lipgloss.Color("3")),
	}
}

// State is a word that says how something is. In tables and details it bears the
// colour of its meaning.
type State string

func (t theme) state(s State) lipgloss.Style {
	switch s {
	case "running", "ready", "ok", "yes", "current":
		return t.good
	case "blocking", "degraded", "failed", "missing", "error", "unavailable":
		return t.bad
	case "creating", "deleting", "starting", "installing", "pending", "warning", "not ready", "expired":
		return t.busy
	case "stopped", "unknown", "simulated", "no", "skipped", "foreign":
		return t.faint
	}
	return t.plain
}

// symbols are the marks beside a step.
type symbols struct {
	spinner                         []string
	done, failed, unknown, ellipsis string
}

func newSymbols(unicode bool) symbols {
	if !unicode {
		return symbols{spinner: []string{"|", "/", "-", `\`}, done: "+", failed: "x", unknown: "-", ellipsis: "..."}
	}
	return symbols{
		spinner: []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"},
		done:    "✓", failed: "✗", unknown: "–", ellipsis: "…",
	}
}
