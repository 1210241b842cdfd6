package minikube

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// reserved returns the flags with which lab controls minikube, and those that create no usable
// cluster.
func reserved() []string {
	return []string{"profile", "output", "interactive", "force", "dry-run", "download-only", "no-kubernetes",
		"delete-on-failure", "embed-certs", "keep-context", "apiserver-port", "vm-driver", "skip-audit", "help"}
}

// parseNative parses minikube's own configuration, a YAML map from flags of `minikube start` to
// their values, and returns the flags. It returns ErrInvalid.
func parseNative(text []byte) ([]string, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, nil
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil && !errors.Is(err, io.EOF) {
		return nil, invalid("%w", err)
	}
	if len(document.Content) == 0 {
		return nil, nil // only comments
	}
	root := document.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, invalid("it must be a map from flags of `minikube start` to their values, such as memory: 4g")
	}
	var args []string
	seen := map[string]bool{}
	for i := 0; i < len(root.Content); i += 2 {
		name := root.Content[i].Value
		if seen[name] {
			return nil, invalid("line %d: %s is set twice", root.Content[i].Line, name)
		}
		seen[name] = true
		values, err := valuesOf(root.Content[i], root.Content[i+1])
		if err != nil {
			return nil, err
		}
		for _, value := range values {
			args = append(args, option(name, value))
		}
	}
	return args, nil
}

// valuesOf returns the values of one flag: a scalar, or each item of a list.
func valuesOf(key, value *yaml.Node) ([]string, error) {
	name := key.Value
	if !regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`).MatchString(name) || len(name) == 1 {
		return nil, invalid("line %d: %q is not a flag of minikube; write the full name without --", key.Line, name)
	}
	if slices.Contains(reserved(), name) {
		return nil, invalid("line %d: %s is set by lab and cannot be changed", key.Line, name)
	}
	items := []*yaml.Node{value}
	if value.Kind == yaml.SequenceNode {
		items = value.Content
	}
	var values []string
	for _, item := range items {
		if item.Kind != yaml.ScalarNode || item.Tag == "!!null" {
			return nil, invalid("line %d: %s must have a value or a list of values", item.Line, name)
		}
		values = append(values, narrow(name, item.Value))
	}
	return values, nil
}

// narrow restricts published ports without an address to the loopback: minikube would publish
// them on all addresses.
func narrow(name, value string) string {
	if name != "ports" {
		return value
	}
	switch strings.Count(value, ":") {
	case 0:
		return loopback + "::" + value
	case 1:
		return loopback + ":" + value
	}
	return value
}

func invalid(format string, a ...any) error {
	err := fault.Errorf(fault.ErrInvalid, "the configuration for minikube: %w", fmt.Errorf(format, a...))
	return fault.WithHint(err, "list the flags: minikube start --help; see https://minikube.sigs.k8s.io/docs/commands/start/")
}

// conflict returns the error of a configuration for minikube that differs from the rest of the
// spec.
func conflict(format string, a ...any) error {
	err := fault.Errorf(fault.ErrInvalid, "the configuration for minikube conflicts with the flags or the lab file: %w", fmt.Errorf(format, a...))
	return fault.WithHint(err, "set it in one place only")
}

// enables reports whether flags enable an addon of minikube.
func enables(flags []string, addon string) bool {
	for _, flag := range flags {
		if list, ok := strings.CutPrefix(flag, "--addons="); ok && slices.Contains(strings.Split(list, ","), addon) {
			return true
		}
	}
	return false
}

// without returns what flags have minikube, or kubeadm, leave out.
func without(flags []string) providers.Without {
	skips := func(phase string) bool {
		return slices.ContainsFunc(flags, func(flag string) bool {
			list, ok := strings.CutPrefix(flag, "--extra-config=kubeadm.skip-phases=")
			return ok && slices.Contains(strings.Split(list, ","), phase)
		})
	}
	return providers.Without{CNI: last(flags, "cni") == "false", KubeProxy: skips("addon/kube-proxy"), DNS: skips("addon/coredns")}
}
