package ui

import (
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/lipgloss"
	"github.com/google/go-cmp/cmp"
)

func TestFit(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text     string
		width    int
		ellipsis string
		want     string
	}{
		{"short", 5, "…", "short"},
		{"longer", 5, "…", "long…"},
		{"longer", 5, "...", "lo..."},
		{"longer", 3, "...", "lon"},
		{"longer", 2, "…", "l…"},
		{"longer", 1, "…", "l"},
		{"longer", 0, "…", ""},
		{"longer", -1, "…", ""},
		{"东京实验室", 6, "…", "东京…"}, // the third character has two columns
		{"cafe\u0301", 4, "…", "cafe\u0301"},
		{"cafe\u0301s", 4, "…", "caf…"},
		{"\x1b[31mlonger\x1b[0m", 5, "…", "\x1b[31mlong…\x1b[0m"},
	} {
		got := fit(test.text, test.width, test.ellipsis)
		if got != test.want || lipgloss.Width(got) > max(0, test.width) {
			t.Errorf("fit(%q, %d) = %q, want %q", test.text, test.width, got, test.want)
		}
	}
}

func TestLinesAreSafe(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"":                           {""},
		"one":                        {"one"},
		"\n\none\n\ntwo\n":           {"one", "", "two"},
		"one\r\ntwo\r\n":             {"one", "two"},
		"10 %\r50 %\r100 %\r":        {"100 %"},
		"a\tb\x07\x00 ":              {"a b"},
		"\x1b[1;31mred\x1b[0m":       {"red"},
		"\x1b]0;title\x07text":       {"text"},
		"\x1b]8;;http://x\x1b\\link": {"link"},
		"no \x1b[2J\x1b[H clear":     {"no  clear"},
		"\u009b31mC1":                {"31mC1"},
	} {
		if diff := cmp.Diff(want, lines(text)); diff != "" {
			t.Errorf("lines(%q) (-want +got):\n%s", text, diff)
		}
	}
}

func TestDuration(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0:                            "0s",
		499 * time.Millisecond:       "0s",
		59*time.Second + 600*1e6:     "1m",
		64 * time.Second:             "1m4s",
		time.Hour + 59*time.Second:   "1h",
		3*time.Hour + 20*time.Minute: "3h20m",
		53 * time.Hour:               "2d5h",
		-90 * time.Second:            "0s",
	} {
		if got := Duration(d); got != want {
			t.Errorf("Duration(%v) = %s, want %s", d, got, want)
		}
	}
}

// TestWrapKeepsFlags checks that no line ends within a flag or a word.
func TestWrapKeepsFlags(t *testing.T) {
	t.Parallel()
	got := strings.Join(wrap("create it with --from-literal in какой-нибудь namespace", 20), "|")
	if want := "create it with|--from-literal in|какой-нибудь|namespace"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
