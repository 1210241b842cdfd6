package exercises

import (
	"fmt"
	"slices"
	"strings"

	"github.com/clusterlab-dev/lab/profiles/strict"
)

// Step is one step of an answer: a kubectl command, or objects to apply.
type Step struct {
	Kubectl []string // the arguments
	Objects []Object
	Line    string // for reports
}

// reading returns the kubectl commands that the task of an exercise may show.
func reading() []string {
	return []string{"api-resources", "describe", "events", "explain", "get", "rollout", "version"}
}

// changing returns the kubectl commands that answers may run, in addition to those that only read.
func changing() []string {
	return []string{"annotate", "autoscale", "create", "delete", "expose", "label", "patch", "run", "scale", "set", "wait"}
}

// parseCommand reads a line such as kubectl scale deployment web --replicas=3. There is no shell: it
// returns a problem for anything that only a shell understands, for commands that are not in verbs,
// and for flags that read files or select another cluster.
func parseCommand(line string, verbs, namespaces []string) (args []string, problem string) {
	words, problem := split(line)
	if problem != "" {
		return nil, problem
	}
	if len(words) < 2 || words[0] != "kubectl" {
		return nil, "the command must start with kubectl"
	}
	args = words[1:]
	if !slices.Contains(verbs, args[0]) && !slices.Contains(args, "--help") {
		return nil, fmt.Sprintf("kubectl %s is not allowed here; use one of %s", strict.Clip(args[0]), strings.Join(verbs, ", "))
	}
	for i, arg := range args {
		flag, value, _ := strings.Cut(arg, "=")
		switch {
		case refusedFlag(flag):
			return nil, fmt.Sprintf("the flag %s is not allowed: it reads files or selects a cluster", flag)
		case flag == "-n" || flag == "--namespace":
			if value == "" && i+1 < len(args) {
				value = args[i+1]
			}
			if !slices.Contains(namespaces, value) {
				return nil, fmt.Sprintf("namespace %q does not belong to the exercise: %s", strict.Clip(value), strings.Join(namespaces, ", "))
			}
		case !slices.Contains(reading(), args[0]) && clusterScoped(arg):
			return nil, fmt.Sprintf("%s is not in a namespace, and an exercise may change only objects in its namespaces", strict.Clip(arg))
		}
	}
	return args, ""
}

// refusedFlag reports whether a flag of kubectl reads files of the machine or selects a cluster.
func refusedFlag(flag string) bool {
	for _, long := range []string{
		"--filename", "--kustomize", "--from-file", "--from-env-file", "--patch-file", "--kubeconfig", "--context", "--cluster",
		"--server", "--user", "--token", "--as", "--as-group", "--as-uid", "--certificate-authority", "--client-certificate",
		"--client-key", "--cert", "--key", "--cache-dir", "--profile-output", "--raw", "--template", "--kuberc",
	} {
		if flag == long {
			return true
		}
	}
	// Letters can be joined with others and with their values, as in -ffile.
	short := strings.HasPrefix(flag, "-") && !strings.HasPrefix(flag, "--")
	return short && strings.ContainsAny(flag, "fks")
}

// clusterScoped reports whether an argument names objects without a namespace.
func clusterScoped(arg string) bool {
	kind, _, _ := strings.Cut(strings.ToLower(arg), "/")
	kind, _, _ = strings.Cut(kind, ".")
	return slices.Contains([]string{
		"no", "node", "nodes", "ns", "namespace", "namespaces", "pv", "persistentvolume", "persistentvolumes", "clusterrole",
		"clusterroles", "clusterrolebinding", "clusterrolebindings", "priorityclass", "priorityclasses", "pc", "storageclass",
		"storageclasses", "sc", "crd", "crds", "customresourcedefinition", "customresourcedefinitions",
	}, kind)
}

// split splits a line into words as a shell does, for words with and without quotes.
func split(line string) (words []string, problem string) {
	var word strings.Builder
	quote, inWord := rune(0), false
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, inWord = r, true
		case r == ' ' || r == '\t':
			if inWord {
				words = append(words, word.String())
				word.Reset()
			}
			inWord = false
		case strings.ContainsRune("|&;<>$`\\*?(){}~#!", r):
			return nil, fmt.Sprintf("%q needs a shell, and lab runs commands without one; quote it: '%c'", r, r)
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	if quote != 0 {
		return nil, fmt.Sprintf("the quote %c is not closed", quote)
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, ""
}

// imagesIn returns the images that a command names.
func imagesIn(args []string) []string {
	var images []string
	for i, arg := range args {
		flag, value, ok := strings.Cut(arg, "=")
		switch {
		case flag == "--image" && ok:
			images = append(images, value)
		case flag == "--image" && i+1 < len(args):
			images = append(images, args[i+1])
		case len(args) > 1 && args[0] == "set" && args[1] == "image" && ok && !strings.HasPrefix(flag, "-"):
			images = append(images, value)
		}
	}
	return images
}
