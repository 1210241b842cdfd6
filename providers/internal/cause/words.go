package cause

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
)

// longest is how much of a message is kept, in bytes: some contain a whole configuration.
const longest = 600

// The weights of a line, by what it says of the end of the program that wrote it.
const (
	weightNone  = iota // an empty line, a stack trace, a usage text
	weightPlain        // it may be the reason if nothing else is
	weightError        // an error after which the program may go on
	weightDying        // the program exits because of it
)

// Reason returns why a program exited, from the lines that it wrote: the last line of the
// greatest weight. If several programs of one output end for different reasons, it returns the
// most frequent one, which is that of the program that is restarted in vain. dying reports
// whether only a program that exits writes such a line. Reason returns "" if the lines contain
// no reason.
func Reason(text string) (said string, dying bool) { return reason(strings.Split(text, "\n")) }

func reason(lines []string) (said string, dying bool) {
	best, f := weightNone, formats()
	times := map[string]int{}
	for _, line := range lines {
		message, weight := f.weigh(line)
		if message == "" || weight == weightNone || weight < best {
			continue
		}
		if weight == best && strings.HasPrefix(said, message+": ") {
			continue // as after a panic of zap's, which Go repeats without its reason
		}
		if weight == weightDying {
			times[message]++
		}
		if weight > best || times[message] >= times[said] {
			said, best = message, weight
		}
	}
	if len(said) > longest {
		said = strings.ToValidUTF8(said[:longest], "") + "…"
	}
	return said, best == weightDying
}

// format has the patterns of log lines that a prefix alone does not identify.
type format struct{ color, klog, trace *regexp.Regexp }

func formats() format {
	return format{
		color: regexp.MustCompile(`\x1b\[[0-9;]*[A-Za-z]`),
		klog:  regexp.MustCompile(`^([IWEF])\d{4} \d{2}:\d{2}:\d{2}\.\d+ +\d+ [^\]]*\] ?(.*)$`),
		// Stack traces of Go, and usage texts.
		trace: regexp.MustCompile(`^\s+\S*\.go:\d+|^goroutine \d+|^[\w./*()-]+\(.*\)$|^created by |^\[signal |^\t|^      |^Usage:$|^[\w./-]+\.[\w.()*]+$`),
	}
}

// weigh returns the message of a line, without its time and place in the code, and its weight.
// It knows the formats of klog, logrus, zap, Go's runtime, cobra and systemd.
func (f format) weigh(line string) (string, int) {
	line = strings.TrimRight(f.color.ReplaceAllString(line, ""), " \r")
	switch trimmed := strings.TrimSpace(line); {
	case strings.HasPrefix(trimmed, "[ERROR "), strings.HasPrefix(trimmed, "error execution phase "): // of kubeadm
		return trimmed, weightDying
	case strings.HasPrefix(trimmed, "To see the stack trace"):
		return "", weightNone
	case trimmed == "" || f.trace.MatchString(line):
		return "", weightNone
	case f.klog.MatchString(line):
		return weighKlog(f.klog.FindStringSubmatch(line))
	case strings.HasPrefix(line, "{"):
		return weighZap(line)
	case strings.HasPrefix(line, "time=") || strings.Contains(line, " level="):
		return weighLogrus(line)
	}
	for _, prefix := range []string{"panic: ", "fatal error: ", "Error: ", "error: ", "ERROR: ", "FATAL: ", "[!!!!!!] "} {
		if _, said, ok := strings.Cut(line, prefix); ok && !strings.HasPrefix(line, " ") && strings.HasPrefix(line, prefix) {
			return strings.TrimSpace(said), weightDying
		}
	}
	return strings.TrimSpace(line), weightPlain
}

// weighKlog returns the message and the weight of a line in the format of klog.
func weighKlog(parts []string) (string, int) {
	severity, text := parts[1], parts[2]
	message := text
	if quoted, err := strconv.QuotedPrefix(text); err == nil {
		message, _ = strconv.Unquote(quoted)
		if failed := field(text, "err"); failed != "" {
			message += ": " + failed
		}
	}
	// component-base's words for a command that returned an error.
	ended, ok := strings.CutPrefix(message, "command failed: ")
	switch {
	case ok, severity == "F":
		return ended, weightDying
	case severity == "E":
		return message, weightError
	}
	return message, weightNone
}

// weighZap returns the message and the weight of a line of JSON, which etcd writes.
func weighZap(line string) (string, int) {
	var entry struct{ Level, Msg, Error string }
	if err := json.Unmarshal([]byte(line), &entry); err != nil {
		return line, weightPlain
	}
	message := entry.Msg
	if entry.Error != "" {
		message += ": " + entry.Error
	}
	return message, weightOf(entry.Level)
}

// weighLogrus returns the message and the weight of a line of k3s or containerd.
func weighLogrus(line string) (string, int) {
	message := field(line, "msg")
	if failed := field(line, "error"); failed != "" {
		message += ": " + failed
	}
	return message, weightOf(field(line, "level"))
}

func weightOf(level string) int {
	switch level {
	case "fatal", "panic":
		return weightDying
	case "error":
		return weightError
	}
	return weightNone
}

// field returns the value of a key in a line of key=value pairs, or "".
func field(line, key string) string {
	_, rest, ok := strings.Cut(" "+line, " "+key+"=")
	if !ok {
		return ""
	}
	if quoted, err := strconv.QuotedPrefix(rest); err == nil {
		value, _ := strconv.Unquote(quoted)
		return value
	}
	value, _, _ := strings.Cut(rest, " ")
	return value
}
