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

// set reports whether a variable is set to anything but an explicit no.
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

// color reports whether to print colors, by the rules of no-color.org and then of
// bixense.com/clicolors.
func (e environment) color(terminal bool) bool {
	switch {
	case e.get("NO_COLOR") != "": // any value disables colors, even 0
		return false
	case e.set("CLICOLOR_FORCE"):
		return true
	case e.get("CLICOLOR") == "0", e.dumb():
		return false
	}
	return terminal
}

// dumb reports whether the terminal cannot move its cursor.
func (e environment) dumb() bool { return e.get("TERM") == "dumb" }

// unicode reports whether the locale supports Unicode. In POSIX, the first of these variables
// that is not empty sets the locale, and the default is ASCII.
func (e environment) unicode() bool {
	for _, key := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := strings.ToLower(e.get(key)); locale != "" {
			return strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8")
		}
	}
	return runtime.GOOS == "windows" // its console supports Unicode, and it has no such variables
}
