package fault

import "strings"

// MachineHint returns a hint for a cause that is in the machine, such as a full disk, or "". said is the
// words of a tool or of a container about the cause, not a whole output.
func MachineHint(said string) string {
	switch {
	case strings.Contains(said, "no space left on device"):
		return "free disk space; see what uses it: docker system df"
	case strings.Contains(said, "too many open files"), strings.Contains(said, "inotify"):
		return "raise the inotify limits: sudo sysctl fs.inotify.max_user_instances=512 fs.inotify.max_user_watches=524288"
	}
	return ""
}
