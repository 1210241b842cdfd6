package ui

import (
	"runtime"
	"strconv"
	"strings"
)

// environment looks up an environment variable, as [os.LookupEnv] does.
type environment func(key string) (value string, ok bool)

func (e environment) get(key string) string {
	value, _ := e(key)
	return value
}

// set tells whether a switch is on: there, and not an explicit no.
func (e environment) set(key string) bool {
	switch strings.ToLower(e.get(key)) {
	case "", "0", "false", "no":
		return false
	}
	return true
}

func (e environment) number(key string, otherwise int) int {
	if n, err := strconv.Atoi(e.get(key)); err == nil && n > 0 {
		return n
	}
	return otherwise
}

// color follows no-color.org and bixense.com/clicolors, in this order: a person who
// said no means no, one who forced it gets it in a pipe too.
func (e environment) color(terminal bool) bool {
	switch {
	case e.get("NO_COLOR") != "": // any value counts, even 0
		return false
	case e.set("CLICOLOR_FORCE"):
		return true
	case e.get("CLICOLOR") == "0", e.dumb():
		return false
	}
	return terminal
}

// dumb tells whether the terminal cannot move its cursor.
func (e environment) dumb() bool { return e.get("TERM") == "dumb" }

// unicode tells whether the locale can show more than ASCII. POSIX takes the first
// of the three that is not empty, and has ASCII where all are.
func (e environment) unicode() bool {
	for _, key := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := strings.ToLower(e.get(key)); locale != "" {
			return strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8")
		}
	}
	return runtime.GOOS == "windows" // has no such variables, and a console that takes Unicode
}
