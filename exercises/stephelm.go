package exercises

import (
	"fmt"
	"slices"
	"strings"

	"github.com/clusterlab-dev/lab/profiles/strict"
)

// helmReading returns the helm commands that the task of an exercise may show.
func helmReading() []string {
	return []string{"get", "history", "lint", "list", "show", "status", "template", "version"}
}

// helmChanging returns the helm commands that answers may run, in addition to those that only read.
func helmChanging() []string { return []string{"install", "rollback", "uninstall", "upgrade"} }

// helmFlags returns the flags that helm commands may have, and whether they have a value.
func helmFlags() map[string]bool {
	return map[string]bool{
		"-n": true, "--namespace": true, "-f": true, "--values": true, "--set": true, "--set-string": true, "--set-json": true,
		"-o": true, "--output": true, "--revision": true, "--timeout": true, "--description": true,
		"--all": false, "-a": false, "--wait": false, "--install": false, "-i": false, "--atomic": false, "--dry-run": false,
		"--reuse-values": false, "--reset-values": false, "--reset-then-reuse-values": false, "--keep-history": false, "--help": false,
	}
}

// helm returns the problem of a helm command. Unlike for kubectl, the flags are a closed list, because
// many of helm's name files, registries and programs. A chart is a file or directory of the exercise.
func (p parser) helm(args []string) string {
	verbs := helmReading()
	if p.change {
		verbs = append(verbs, helmChanging()...)
	}
	if !slices.Contains(verbs, args[0]) {
		return notAllowed("helm", args[0], verbs)
	}
	known := helmFlags()
	for i := 1; i < len(args); i++ {
		if !strings.HasPrefix(args[i], "-") {
			if problem := p.path(args[i]); problem != "" {
				return problem
			}
			continue
		}
		flag, value := flagAt(args, i)
		hasValue, ok := known[flag]
		if !ok {
			return fmt.Sprintf("the flag %s of helm is not allowed", strict.Clip(flag))
		}
		if problem := p.helmValue(flag, value); problem != "" {
			return problem
		}
		if hasValue && !strings.Contains(args[i], "=") {
			i++
		}
	}
	return ""
}

func (p parser) helmValue(flag, value string) string {
	switch flag {
	case "-n", "--namespace":
		return p.namespace(value)
	case "-f", "--values":
		if !slices.Contains(p.files, value) {
			return fmt.Sprintf("%q is not a file of the exercise; add it to files in exercise.yaml", strict.Clip(value))
		}
	}
	return ""
}

// path returns the problem of an argument that could lead to a file or an address: charts may be files
// of the exercise only.
func (p parser) path(arg string) string {
	if !strings.ContainsAny(arg, `/\:.`) || slices.Contains(p.files, strings.TrimPrefix(arg, "./")) {
		return ""
	}
	return fmt.Sprintf("%q is not a file or directory of the exercise; add it to files in exercise.yaml", strict.Clip(arg))
}
