package fault

import "strings"

// ShellWord returns text as one word of a POSIX shell, in quotes if necessary. Users copy
// hints: rm -r with an unquoted space would delete something else.
func ShellWord(text string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_"
	if text != "" && strings.Trim(text, plain) == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
