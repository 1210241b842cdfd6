package helm

import (
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/strvals"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Set returns the values, by addon, after Helm's parser has applied the flags in Helm's order. The
// first key of each path is the addon, also after a comma: hello.a=1,hello.b=2. read returns the
// content of a file that --set-file names. Set returns ErrInvalid for text that the parser rejects,
// and for a path without an addon.
func Set(values map[string]addons.Values, sets addons.Sets, read func(path string) ([]byte, error)) (map[string]addons.Values, error) {
	all := map[string]any{}
	for name, v := range values {
		all[name] = map[string]any(v.Copy()) // the parser changes it
	}
	for _, flag := range []struct {
		name  string
		texts []string
		parse func(text string, into map[string]any) error
	}{
		{"--set-json", sets.JSON, strvals.ParseJSON},
		{"--set", sets.Values, strvals.ParseInto},
		{"--set-string", sets.Strings, strvals.ParseIntoString},
		{"--set-file", sets.Files, func(text string, into map[string]any) error {
			return strvals.ParseIntoFile(text, into, func(path []rune) (any, error) {
				data, err := read(string(path))
				return string(data), err
			})
		}},
		{"--set-literal", sets.Literals, strvals.ParseLiteralInto},
	} {
		for _, text := range flag.texts {
			path, _, _ := strings.Cut(text, "=") // the value may be a secret
			if !hasAddon(path) {
				return nil, noAddon(flag.name, path)
			}
			if err := flag.parse(text, all); err != nil {
				err := fault.Errorf(fault.ErrInvalid, "cannot read %s %s=...: %w", flag.name, path, err)
				return nil, fault.WithHint(err, "write %s ADDON.PATH=VALUE, as for helm; a comma in a value needs a backslash: \\,", flag.name)
			}
			for name, v := range all {
				if _, ok := v.(map[string]any); !ok {
					return nil, noAddon(flag.name, name)
				}
			}
		}
	}
	set := map[string]addons.Values{}
	for name, v := range all {
		set[name], _ = v.(map[string]any)
	}
	return set, nil
}

// hasAddon reports whether a path has an addon before its first dot and no empty key, which Helm's
// parser would ignore.
func hasAddon(path string) bool {
	keys := strings.Split(strings.ReplaceAll(path, `\.`, ""), ".")
	return len(keys) > 1 && !slices.Contains(keys, "") && !strings.Contains(keys[0], "[")
}

// noAddon returns the error for a path that does not start with an addon.
func noAddon(flag, path string) error {
	err := fault.Errorf(fault.ErrInvalid, "cannot read %s: %q is not ADDON.PATH", flag, path)
	return fault.WithHint(err, "start each path with its addon, for example %s hello.replicas=2", flag)
}
