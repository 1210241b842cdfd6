package fault

import "strings"

// ShellWord returns text as one word of a POSIX shell, in quotes where it needs them. Hints are
// there to be copied: rm -r on a path with a space would delete something else.
func ShellWord(text string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_"
	if text != "" && strings.Trim(text, plain) == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
