// Package cause finds in the logs of a cluster's nodes why its creation failed. It relies on
// facts that these logs state: a unit crashed, a plugin was refused, a container cannot be
// run or crashes. The reason is given in the words of the program that failed.
package cause

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// Node has the paths of the logs of one node in the saved logs. A path may be empty, and a
// file may be missing.
type Node struct {
	Name    string
	Ended   string // how the node exited, such as "exit code 1"; "" while it runs
	Output  string // what its container wrote
	Journal string // what journalctl prints
	Runtime string // what containerd wrote, if that is not in the journal
	Pods    string // a directory like /var/log/pods
}

// Cause says why a creation failed.
type Cause struct {
	Program string // that failed: "kubelet", "containerd", "kube-apiserver"; "" for the node itself, or [NodeImage]
	Said    string // why, in the words of the program
	what    string // what failed, such as "the kubelet of lab-control-plane does not start"
}

func (c Cause) String() string { return c.what + ": " + c.Said }

// NodeImage is the Program of a Cause if the image of a node lacks what every node needs.
const NodeImage = "image"

// Find returns the first cause in the order in which components depend on one another: a node
// that exited, containerd, the kubelet, etcd, the API server, other containers. It reports a
// node without systemd only if nothing else explains the failure.
func Find(logs fs.FS, nodes []Node) (Cause, bool) {
	for _, look := range []func(fs.FS, Node) (Cause, bool){ended, containerd, kubelet, containers, output, image} {
		for _, n := range nodes {
			if c, ok := look(logs, n); ok {
				return c, true
			}
		}
	}
	return Cause{}, false
}

// read returns a file, or "" if it cannot be read.
func read(logs fs.FS, path string) string {
	text, _ := fs.ReadFile(logs, cmp.Or(path, "-"))
	return string(text)
}

// ended finds a node whose container has exited.
func ended(logs fs.FS, n Node) (Cause, bool) {
	if n.Ended == "" {
		return Cause{}, false
	}
	said, _ := Reason(read(logs, n.Output))
	return Cause{"", cmp.Or(said, "it wrote nothing"), fmt.Sprintf("node %s exited (%s)", n.Name, n.Ended)}, true
}

// containerd finds a containerd that crashes, or that runs without the plugin that the kubelet
// uses.
func containerd(logs fs.FS, n Node) (Cause, bool) {
	entries := parseJournal(read(logs, n.Journal))
	for line := range strings.Lines(read(logs, n.Runtime)) {
		entries = append(entries, entry{program: "containerd", text: strings.TrimSpace(line)})
	}
	said, ok := refusedPlugin(entries)
	if !ok {
		said, ok = crash(entries, "containerd")
	}
	return Cause{"containerd", said, "containerd of " + n.Name + " does not start"}, ok
}

// kubelet finds a kubelet that crashes.
func kubelet(logs fs.FS, n Node) (Cause, bool) {
	said, ok := crash(parseJournal(read(logs, n.Journal)), "kubelet")
	return Cause{"kubelet", said, "the kubelet of " + n.Name + " does not start"}, ok
}

// containers finds a container that cannot be run, or crashes.
func containers(logs fs.FS, n Node) (Cause, bool) {
	var found []Cause
	ran := map[string]bool{}
	if n.Pods != "" {
		for _, c := range containersOf(logs, n.Pods) {
			ran[c.name] = ran[c.name] || len(c.lines) > 0
			if said, dying := reason(c.lines); dying || c.restarts >= crashes && said != "" {
				found = append(found, Cause{c.name, said, c.name + " of " + n.Name + " crashes"})
			}
		}
	}
	for name, t := range troubles(read(logs, n.Journal) + read(logs, n.Output)) {
		if ran[name] || t.reason == "CrashLoopBackOff" { // it ran, and its own output says more
			continue
		}
		what := fmt.Sprintf("%s of %s cannot be run (%s)", name, n.Name, t.reason)
		if strings.Contains(t.reason, "Image") {
			what = fmt.Sprintf("the image of %s cannot be pulled in %s", name, n.Name)
		}
		found = append(found, Cause{name, innermost(t.message), what})
	}
	if len(found) == 0 {
		return Cause{}, false
	}
	return slices.MinFunc(found, func(a, b Cause) int {
		return cmp.Or(cmp.Compare(rank(a.Program), rank(b.Program)), cmp.Compare(a.Program, b.Program))
	}), true
}

// crashes is the number of restarts from which a container counts as crashing, whatever its
// last output: one restart is usual on a slow node.
const crashes = 3

// innermost removes gRPC's prefixes from a message.
func innermost(message string) string {
	if i := strings.LastIndex(message, " desc = "); i >= 0 {
		return message[i+len(" desc = "):]
	}
	return message
}

// output finds a line in the output of a node that only a failing program writes.
func output(logs fs.FS, n Node) (Cause, bool) {
	said, dying := Reason(read(logs, n.Output))
	return Cause{"", said, "node " + n.Name + " does not start"}, dying
}

// image finds a node without a journal, whose image does not run systemd.
func image(logs fs.FS, n Node) (Cause, bool) {
	text := strings.TrimSpace(read(logs, n.Journal))
	ok := n.Ended == "" && strings.Contains(text, "executable file not found") && len(parseJournal(text)) == 0
	return Cause{NodeImage, text, "node " + n.Name + " does not run systemd, so its image is not a node image"}, ok
}
