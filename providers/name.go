package providers

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// The bounds of a cluster's name, in characters. Two, because minikube refuses
// shorter ones; thirty-two, because k3d refuses longer ones. A name that every
// flavor takes can be moved from one flavor to another.
const (
	MinNameLength = 2
	MaxNameLength = 32
)

// ValidateName returns nil if name can be the name of a cluster of every flavor: a DNS label
// (RFC 1123) of MinNameLength to MaxNameLength characters. Otherwise it returns ErrInvalid with
// the reason, and a similar valid name as the hint.
func ValidateName(name string) error { return validateName("cluster", name, "lab up demo") }

// ValidateSnapshotName is [ValidateName] for the name of a snapshot, which follows the same rules.
func ValidateSnapshotName(name string) error {
	return validateName("snapshot", name, "lab snapshot save demo")
}

func validateName(what, name, example string) error {
	problem := nameProblem(name)
	if problem == "" {
		return nil
	}
	err := fault.Errorf(fault.ErrInvalid, "invalid %s name %q: %s", what, name, problem)
	if s := suggestName(name); s != "" {
		return fault.WithHint(err, "use another name, such as %s", s)
	}
	return fault.WithHint(err, "use lower-case letters, digits and '-', for example: %s", example)
}

func nameProblem(name string) string {
	length := utf8.RuneCountInString(name)
	switch {
	case length == 0:
		return "must not be empty"
	case length < MinNameLength:
		return fmt.Sprintf("must have at least %d characters", MinNameLength)
	case length > MaxNameLength:
		return fmt.Sprintf("must have at most %d characters, but has %d", MaxNameLength, length)
	}
	for _, r := range name {
		if !isNameChar(r) {
			return fmt.Sprintf("must contain only lower-case letters, digits and '-', but contains %q", r)
		}
	}
	if name[0] == '-' || name[len(name)-1] == '-' {
		return "must start and end with a letter or a digit"
	}
	return ""
}

// suggestName returns a valid name that resembles name, or "".
func suggestName(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case isNameChar(r) && (r != '-' || b.Len() > 0):
			b.WriteRune(r)
		case b.Len() > 0:
			b.WriteByte('-')
		}
		if b.Len() == MaxNameLength {
			break
		}
	}
	s := strings.Trim(b.String(), "-")
	if nameProblem(s) != "" {
		return ""
	}
	return s
}

func isNameChar(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-'
}
