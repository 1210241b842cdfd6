package cause

import (
	"cmp"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// trouble is why the kubelet cannot run a container, as it logs it: the kind of failure, such
// as ImagePullBackOff, and the message.
type trouble struct{ reason, message string }

// troubles returns the kubelet's last message about each container or pod, by name, that it
// cannot run.
func troubles(text string) map[string]trouble {
	statement := regexp.MustCompile(`failed to "(\w+)" for "([^"\s]+)" with (\w+): "`)
	found := map[string]trouble{}
	for line := range strings.Lines(text) {
		if !strings.Contains(line, "Error syncing pod, skipping") {
			continue
		}
		said := field(line, "err")
		m := statement.FindStringSubmatchIndex(said)
		if m == nil || strings.HasPrefix(said[m[2]:m[3]], "Kill") {
			continue
		}
		message, err := strconv.QuotedPrefix(said[m[1]-1:])
		if err == nil {
			message, _ = strconv.Unquote(message)
		}
		name, _, _ := strings.Cut(said[m[4]:m[5]], "(") // pods have their UID behind the name
		if pod := field(line, "pod"); strings.HasSuffix(said[m[2]:m[3]], "PodSandbox") {
			_, name, _ = strings.Cut(pod, "/")
		}
		found[name] = trouble{said[m[6]:m[7]], message}
	}
	return found
}

// container is the saved output of one container, as the kubelet stores it:
// POD_DIRECTORY/NAME/N.log, where N counts the restarts.
type container struct {
	name     string
	restarts int
	lines    []string // of the last run that wrote something
}

// containersOf reads a directory with the layout of /var/log/pods, for pods of the namespace
// kube-system.
func containersOf(logs fs.FS, dir string) []container {
	paths, _ := fs.Glob(logs, dir+"/kube-system_*/*/*.log")
	slices.SortFunc(paths, func(a, b string) int { return cmp.Compare(runOf(a), runOf(b)) })
	found := map[string]*container{}
	var all []*container
	for _, path := range paths {
		parts := strings.Split(path, "/")
		name := parts[len(parts)-2]
		c := found[strings.Join(parts[:len(parts)-1], "/")]
		if c == nil {
			c = &container{name: name}
			found[strings.Join(parts[:len(parts)-1], "/")] = c
			all = append(all, c)
		}
		c.restarts = max(c.restarts, runOf(path))
		if text, err := fs.ReadFile(logs, path); err == nil && len(text) > 0 {
			c.lines = unwrap(string(text))
		}
	}
	list := make([]container, len(all))
	for i, c := range all {
		list[i] = *c
	}
	return list
}

// runOf returns the number of the run from the path of its log.
func runOf(path string) int {
	n, _ := strconv.Atoi(strings.TrimSuffix(path[strings.LastIndex(path, "/")+1:], ".log"))
	return n
}

// unwrap removes the prefix that the container runtime adds to each line: time, stream and a
// flag.
func unwrap(text string) []string {
	prefix := regexp.MustCompile(`^\S+Z? (?:stdout|stderr) [FP] ?`)
	var lines []string
	for line := range strings.Lines(text) {
		lines = append(lines, prefix.ReplaceAllString(strings.TrimRight(line, "\n"), ""))
	}
	return lines
}

// rank orders the containers of a control plane by dependency: no API server runs without etcd,
// and nothing else runs without the API server.
func rank(name string) int {
	order := []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy"}
	for i, prefix := range order {
		if strings.HasPrefix(name, prefix) {
			return i
		}
	}
	return len(order)
}
