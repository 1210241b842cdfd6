package addons

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"github.com/clusterlab-dev/lab/profiles/strict"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// problems returns why the addon of a file cannot be installed. It does not read the chart.
func (a Addon) problems(file string, at strict.Positions) (all strict.Problems) {
	bad := func(path, problem string) {
		if problem != "" {
			all = append(all, strict.Problem{File: file, Line: at[path].Line, Column: at[path].Column, Message: problem})
		}
	}
	bad("name", NameProblem("addon", a.Name, MaxName))
	bad("namespace", NameProblem("namespace", cmp.Or(a.Namespace, "default"), MaxNamespace))
	bad("chart", a.Chart.Problem())
	for i, what := range a.Provides {
		if what != ProvidesIngress {
			bad(fmt.Sprintf("provides[%d]", i), fmt.Sprintf("provides %q is unknown: it must be %q", what, ProvidesIngress))
		}
	}
	return all
}

// The maximum lengths of names. An addon is a Helm release, and Helm allows 53 characters; a namespace
// is a DNS label (RFC 1123).
const (
	MaxName      = 53
	MaxNamespace = 63
)

// NameProblem returns what is wrong with the name of an addon or a namespace, or "".
func NameProblem(kind, name string, longest int) string {
	switch {
	case len(name) > longest:
		return fmt.Sprintf("the %s name %q is longer than %d characters (it has %d)", kind, name, longest, len(name))
	case !regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`).MatchString(name):
		return fmt.Sprintf("the %s name %q must have only lower-case letters, digits and '-', and start and end with a letter or digit", kind, name)
	}
	return ""
}

// Problem returns what is wrong with c, or "". It does not read the chart.
func (c Chart) Problem() string {
	if problem := c.problem(); problem != "" {
		return "the chart: " + problem
	}
	return ""
}

func (c Chart) problem() string {
	sources := 0
	for _, s := range []string{c.OCI, c.Repository, c.Path, c.Builtin} {
		if s != "" {
			sources++
		}
	}
	switch {
	case sources != 1:
		return fmt.Sprintf("it has %d sources, and must have exactly one of oci, repository and path", sources)
	case strings.Contains(c.Path, "http:/"), strings.Contains(c.Path, "https:/"), strings.Contains(c.Path, "oci:/"):
		return "a URL is not a path: write repository, name and version, or oci and version"
	case c.OCI != "":
		return c.ociProblem()
	case strings.HasPrefix(c.Repository, "oci://"):
		return fmt.Sprintf("a registry is not a repository: write oci: %s/%s instead of repository and name", fault.Redact(c.Repository), c.Name)
	case c.Repository != "" && !isWeb(c.Repository):
		return fmt.Sprintf("%q is not the URL of a repository", fault.Redact(c.Repository))
	case c.Repository != "" && c.Name == "":
		return "the name of the chart in the repository is missing"
	case c.Repository != "" && c.Version == "":
		return "its version is missing"
	}
	return ""
}

// ociProblem returns what is wrong with the reference to a registry, or "".
func (c Chart) ociProblem() string {
	shown := fault.Redact(c.OCI)
	host, path, _ := strings.Cut(strings.TrimPrefix(c.OCI, "oci://"), "/")
	name, tag, tagged := strings.Cut(path[strings.LastIndex(path, "/")+1:], ":")
	switch {
	case isWeb(c.OCI):
		return fmt.Sprintf("%q is an HTTP URL: a registry is oci://HOST/PATH; for an HTTP repository set repository and name", shown)
	case !strings.HasPrefix(c.OCI, "oci://") || host == "" || path == "":
		return fmt.Sprintf("%q is not oci://HOST/PATH", shown)
	case strings.Contains(path, "@"):
		return fmt.Sprintf("%q names a digest: write oci: %s and the version of the chart", shown, shown[:strings.LastIndex(shown, "@")])
	case tagged:
		return fmt.Sprintf("%q names a version: write oci: %s and version: %s", shown, strings.TrimSuffix(shown, ":"+tag), tag)
	case name == "":
		return fmt.Sprintf("%q ends with a slash", shown)
	case c.Version == "":
		return "its version is missing"
	}
	return ""
}

func isWeb(address string) bool {
	return strings.HasPrefix(address, "https://") || strings.HasPrefix(address, "http://")
}

// Problem returns what is wrong with c, or "".
func (c Check) Problem() string {
	n := 0
	for _, set := range []bool{
		c.Rollout != nil, c.DryRun != nil, c.Ingress != 0, c.Prometheus != nil, c.HTTP != nil, c.API != nil,
	} {
		if set {
			n++
		}
	}
	if n != 1 {
		return fmt.Sprintf("a ready check has %d kinds, and must have exactly one", n)
	}
	return ""
}

// String returns the chart's reference without credentials.
func (c Chart) String() string {
	switch {
	case c.OCI != "":
		return fault.Redact(c.OCI) + ":" + c.Version
	case c.Repository != "":
		return fmt.Sprintf("%s %s from %s", c.Name, c.Version, fault.Redact(c.Repository))
	case c.Path != "":
		return c.Path
	}
	return "the builtin chart " + c.Builtin
}
