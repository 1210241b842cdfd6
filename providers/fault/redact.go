package fault

import (
	"regexp"
	"strings"
)

// Redact returns text with *** in place of the user name and the password of each URL in it, and of
// the parameters of its query that are secrets by their names. A user name counts, too: registries
// take tokens in its place. Text without such a URL is returned as it is.
func Redact(text string) string {
	if !strings.Contains(text, ":/") || !strings.ContainsAny(text, "@?") {
		return text
	}
	for _, pattern := range []string{
		`(://)[^/?#\s"<>]*@`,
		// A URL that was taken for a path, which has no empty names.
		`((?:https?|oci):/)[^/?#\s"'<>]*@`,
		// A password with a slash in it, as net/url quotes it when it refuses the URL. What
		// follows the colon is no port, unlike in HOST:PORT/PATH@sha256:DIGEST.
		`(://)[^\s"'/@:\[\]]+:[0-9]*[^0-9/\s"'@][^\s"'@]*@`,
	} {
		text = regexp.MustCompile(pattern).ReplaceAllString(text, "${1}***@")
	}
	// Signed URLs, and URLs with an access token.
	const secret = `(?i)([?&](?:[\w.-]*(?:token|secret|password|passwd|signature|credential|api[_-]?key)[\w.-]*|sig|key|auth)=)[^&#\\\s"'<>]+`
	return regexp.MustCompile(secret).ReplaceAllString(text, "${1}***")
}
