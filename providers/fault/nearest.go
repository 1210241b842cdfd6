package fault

import "strings"

// Nearest returns the known word that s was most likely meant to be, or "": a word that begins
// with s, or one that differs in at most two letters.
func Nearest(s string, known []string) string {
	s = strings.ToLower(s)
	best, least := "", 3
	for _, k := range known {
		if len(s) > 2 && strings.HasPrefix(strings.ToLower(k), s) {
			return k
		}
		if d := distance(s, strings.ToLower(k)); d < least && d < len(k) {
			best, least = k, d
		}
	}
	return best
}

// distance returns the Levenshtein distance: how many letters must be inserted, deleted or
// replaced.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
