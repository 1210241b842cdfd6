package ui

import (
	"strings"
	"testing"
)

func rollout() *Chart {
	return &Chart{
		Title: "Service shop/web: 20 requests a second",
		Rows: []ChartRow{
			{Name: "v1", Cells: []int{10, 10, 7, 3, 0, 0}},
			{Name: "v2", Cells: []int{0, 0, 3, 7, 10, 10}},
			{Name: "lost", Cells: []int{0, 0, 1, 0, 0, 0}, Bad: true},
		},
		Footer: []string{"v1 and v2 answered side by side for 1.0 s; 1 of 60 requests lost"},
	}
}

// TestChart checks charts in pipes, without Unicode, and on a narrow terminal, where the end is shown.
func TestChart(t *testing.T) {
	t.Parallel()
	var all strings.Builder
	for _, screen := range []struct {
		what  string
		width int
		env   map[string]string
	}{{"pipe", 0, utf8()}, {"ascii", 80, map[string]string{"TERM": "xterm", "LANG": "C"}}, {"no color", 80, utf8("NO_COLOR", "1")}, {"narrow", 14, utf8("NO_COLOR", "1")}} {
		streams, _, _ := Test(screen.width, screen.env)
		all.WriteString(screen.what + "\n" + strings.Join(rollout().render(streams.Out, screen.width), "\n") + "\n\n")
	}
	golden(t, "chart.txt", all.String())
}

// TestScreen checks that a screen replaces what it shows, and leaves the last view.
func TestScreen(t *testing.T) {
	t.Parallel()
	streams, out, _ := Test(80, utf8("NO_COLOR", "1"))
	s := NewScreen(streams.Out)
	s.Show(rollout())
	s.Show(rollout())
	s.Close(rollout())
	if got := strings.Count(out.String(), "\x1b[5A"); got != 2 {
		t.Errorf("the cursor went up %d times:\n%q", got, out.String())
	}
	if !strings.HasSuffix(out.String(), "requests lost\n\x1b[J\x1b[?25h") {
		t.Errorf("it ends with %q", out.String())
	}
	if piped, _, _ := Test(0, nil); NewScreen(piped.Out) != nil {
		t.Error("a pipe is a screen")
	}
}
