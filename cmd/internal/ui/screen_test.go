package ui

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/charmbracelet/lipgloss"
)

// screen is a fake terminal. It wraps and scrolls lines, rewraps them when its width changes,
// and interprets the escape codes that lab uses. Other escape codes appear in the text, so that
// a test fails.
type screen struct {
	mu            sync.Mutex // progress draws while the test looks
	width, height int

	rows     []row
	top      int // the first row on the screen; rows above it have scrolled off
	y, x     int
	noCursor bool
}

type row struct {
	cells   []string // a wide character is followed by an empty cell
	wrapped bool     // the next row continues this one
}

var escape = regexp.MustCompile(`^\x1b\[(\??[0-9;]*)([A-Za-z])`)

func (s *screen) size() (int, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.width, s.height
}

// Write draws what a program sends.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := string(p)
	for text != "" {
		if code := escape.FindStringSubmatch(text); code != nil && s.obey(code[1], code[2]) {
			text = text[len(code[0]):]
			continue
		}
		r := []rune(text)[0]
		s.put(r)
		text = text[len(string(r)):]
	}
	return len(p), nil
}

func (s *screen) obey(argument, command string) bool {
	switch argument + command {
	case "J":
		s.cut()
		s.rows = s.rows[:s.y+1]
		return true
	case "K":
		s.cut()
		return true
	case "?25l", "?25h":
		s.noCursor = command == "l"
		return true
	}
	if n, err := strconv.Atoi(argument); err == nil && command == "A" {
		s.y, s.x = max(s.top, s.y-n), min(s.x, s.width-1)
		return true
	}
	return command == "m" // other tests check colors
}

// cut erases from the cursor to the end of its row. A cursor after the last column counts as on
// it, as on real terminals.
func (s *screen) cut() {
	row := s.row()
	row.cells = row.cells[:min(len(row.cells), s.x, s.width-1)]
	row.wrapped = false
}

func (s *screen) row() *row {
	for len(s.rows) <= s.y {
		s.rows = append(s.rows, row{})
	}
	return &s.rows[s.y]
}

func (s *screen) put(r rune) {
	switch r {
	case '\n':
		s.row()
		s.y, s.x = s.y+1, 0
		s.row()
		s.top = max(s.top, s.y-s.height+1)
		return
	case '\r':
		s.x = 0
		return
	case '\x1b':
		r = '␛'
	}
	width := lipgloss.Width(string(r))
	if width == 0 && s.x > 0 {
		s.row().cells[s.x-1] += string(r)
		return
	}
	if s.x+width > s.width {
		s.row().wrapped = true
		s.put('\n')
		s.rows[s.y-1].wrapped = true
	}
	row := s.row()
	for len(row.cells) < s.x+width {
		row.cells = append(row.cells, " ")
	}
	row.cells[s.x] = string(r)
	for i := 1; i < width; i++ {
		row.cells[s.x+i] = ""
	}
	s.x += width
}

// resize changes the width and rewraps all lines. The cursor must be in an empty row, as it is
// between two frames.
func (s *screen) resize(width int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, cursor := s.rows, s.y
	s.rows, s.width, s.top, s.y, s.x = nil, width, 0, 0, 0
	for i, row := range rows {
		for _, cell := range row.cells {
			for _, r := range cell {
				s.put(r)
			}
		}
		if !row.wrapped && i < cursor {
			s.put('\n')
		}
	}
}

// String returns all lines, including those that have scrolled off.
func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lines []string
	for _, row := range s.rows {
		lines = append(lines, strings.TrimRight(strings.Join(row.cells, ""), " "))
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = slices.Delete(lines, len(lines)-1, len(lines))
	}
	cursor := "shown"
	if s.noCursor {
		cursor = "hidden"
	}
	return fmt.Sprintf("%s\n(cursor %s, row %d, column %d)\n", strings.Join(lines, "\n"), cursor, s.y, s.x)
}
