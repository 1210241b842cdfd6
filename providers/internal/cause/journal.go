package cause

import (
	"regexp"
	"strings"
	"time"
)

// settled is how long a program must have run since its last crash to count as recovered. The
// tools restart the kubelet every second until it works.
const settled = 10 * time.Second

// entry is one line of systemd's journal, with the lines that continue it.
type entry struct {
	when          time.Time // without a year
	program, text string
	pid           string
}

// parseJournal returns the entries of what journalctl prints.
func parseJournal(text string) []entry {
	line := regexp.MustCompile(`^(\w{3} [ \d]\d \d{2}:\d{2}:\d{2}) \S+ ([^\s\[:]+)(?:\[(\d+)\])?: (.*)$`)
	var entries []entry
	for l := range strings.Lines(text) {
		l = strings.TrimRight(l, "\r\n")
		if m := line.FindStringSubmatch(l); m != nil {
			when, _ := time.Parse(time.Stamp, m[1])
			entries = append(entries, entry{when, m[2], m[4], m[3]})
		} else if n := len(entries); n > 0 {
			entries[n-1].text += "\n" + strings.TrimSpace(l)
		}
	}
	return entries
}

// crash returns why a unit of systemd crashed and has not recovered, by the last output of its
// process, or by systemd's status if the process wrote nothing.
func crash(entries []entry, unit string) (said string, crashed bool) {
	exit, status := -1, ""
	for i, e := range entries {
		words, is := strings.CutPrefix(e.text, unit+".service: Main process exited, ")
		if is && e.program == "systemd" && !strings.Contains(words, "status=0/") && !strings.Contains(words, "status=15/") {
			exit, status = i, words
		}
	}
	if exit < 0 {
		return "", false
	}
	pid := ""
	for _, e := range entries[:exit] {
		if e.program == unit && e.pid != "" {
			pid = e.pid
		}
	}
	for _, e := range entries[exit:] {
		if e.program == unit && e.pid != pid {
			if entries[len(entries)-1].when.Sub(e.when) > settled {
				return "", false
			}
			break
		}
	}
	if strings.Contains(status, "code=killed") {
		return "it was killed (" + status + ")", true
	}
	var lines []string
	for _, e := range entries {
		if e.program == unit && e.pid == pid {
			lines = append(lines, strings.Split(e.text, "\n")...)
		}
	}
	if said, _ = reason(lines); said == "" {
		said = status
	}
	return said, true
}

// refusedPlugin returns why containerd runs without the plugin that the kubelet uses.
func refusedPlugin(entries []entry) (said string, refused bool) {
	for _, e := range entries {
		if e.program != "containerd" {
			continue
		}
		id := field(e.text, "id")
		switch {
		case strings.Contains(e.text, "containerd successfully booted"):
			if refused {
				return said, true
			}
		case strings.Contains(e.text, `msg="failed to load plugin"`) && isCRI(id) && !refused:
			said, refused = field(e.text, "error"), true
		case strings.Contains(e.text, `msg="starting containerd"`):
			said, refused = "", false
		}
	}
	return said, refused
}

// isCRI reports whether a plugin of containerd is required by the kubelet.
func isCRI(id string) bool {
	return strings.HasPrefix(id, "io.containerd.cri.v1.") || strings.HasPrefix(id, "io.containerd.grpc.v1.cri")
}
