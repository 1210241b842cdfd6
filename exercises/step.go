package exercises

import (
	"fmt"
	"slices"
	"strings"

	"github.com/clusterlab-dev/lab/profiles/strict"
)

// Step is one step of an answer: a command of kubectl or helm, or objects to apply.
type Step struct {
	Kubectl []string // the arguments
	Helm    []string // the arguments
	Objects []Object
	Line    string // for reports
}

// reading returns the kubectl commands that the task of an exercise may show.
func reading() []string {
	return []string{"api-resources", "describe", "events", "explain", "get", "logs", "rollout", "top", "version"}
}

// NeedsPods reports whether the step asks containers that run.
func (s Step) NeedsPods() bool {
	return len(s.Kubectl) > 0 && slices.Contains([]string{"logs", "top"}, s.Kubectl[0])
}

// changing returns the kubectl commands that answers may run, in addition to those that only read.
func changing() []string {
	return []string{"annotate", "autoscale", "create", "delete", "expose", "label", "patch", "run", "scale", "set", "wait"}
}

// parser reads the commands of an exercise. There is no shell: it returns a problem for anything that
// only a shell understands, for commands that are not in a closed list, and for what reads other files
// or selects another cluster.
type parser struct {
	namespaces []string
	files      []string // that commands may read, and their directories
	change     bool     // whether the commands may change objects
}

// step reads a line such as kubectl scale deployment web --replicas=3.
func (p parser) step(line string) (s Step, problem string) {
	s.Line = line
	words, problem := split(line)
	switch {
	case problem != "":
	case len(words) > 1 && words[0] == "kubectl":
		s.Kubectl = words[1:]
		problem = p.kubectl(s.Kubectl)
	case len(words) > 1 && words[0] == "helm":
		s.Helm = words[1:]
		problem = p.helm(s.Helm)
	default:
		problem = "the command must start with kubectl or helm"
	}
	return s, problem
}

// kubectl returns the problem of a kubectl command.
func (p parser) kubectl(args []string) string {
	verbs := reading()
	if p.change {
		verbs = append(verbs, changing()...)
	}
	if !slices.Contains(verbs, args[0]) && !slices.Contains(args, "--help") {
		return notAllowed("kubectl", args[0], verbs)
	}
	for i, arg := range args {
		flag, value := flagAt(args, i)
		switch {
		case refusedFlag(flag):
			return fmt.Sprintf("the flag %s is not allowed: it reads files or selects a cluster", flag)
		case flag == "-n" || flag == "--namespace":
			if problem := p.namespace(value); problem != "" {
				return problem
			}
		case !slices.Contains(reading(), args[0]) && clusterScoped(arg):
			return fmt.Sprintf("%s is not in a namespace, and an exercise may change only objects in its namespaces", strict.Clip(arg))
		}
	}
	return ""
}

// flagAt returns the flag at a position with its value, which may be the next argument.
func flagAt(args []string, i int) (flag, value string) {
	flag, value, joined := strings.Cut(args[i], "=")
	if !joined && i+1 < len(args) {
		value = args[i+1]
	}
	return flag, value
}

func notAllowed(program, verb string, verbs []string) string {
	return fmt.Sprintf("%s %s is not allowed here; use one of %s", program, strict.Clip(verb), strings.Join(verbs, ", "))
}

func (p parser) namespace(name string) string {
	if slices.Contains(p.namespaces, name) {
		return ""
	}
	return fmt.Sprintf("namespace %q does not belong to the exercise: %s", strict.Clip(name), strings.Join(p.namespaces, ", "))
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
