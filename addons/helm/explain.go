package helm

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"

	"github.com/clusterlab-dev/lab/providers/fault"
)

const otherVersion = "choose another version of the chart, or a cluster with another version of Kubernetes: --kubernetes-version"

// explain wraps the context's error around errors that its end caused, and adds a kind and a hint
// to errors for which Helm has no types.
func (s *session) explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	switch {
	case ctx.Err() != nil && !errors.Is(err, ctx.Err()):
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	case strings.Contains(text, fmt.Sprintf("Namespace %q", s.client.release.Namespace)) && strings.Contains(text, "cannot be imported"):
		err = fault.Errorf(fault.ErrInvalid, "%w", err)
		return fault.WithHint(err, "the chart contains its own namespace, which must exist before it is installed: "+
			"remove the Namespace from the chart, or disable it with a value; lab creates it")
	case strings.Contains(text, "cannot be imported into the current release"):
		err = fault.Errorf(fault.ErrForeign, "%w", err)
		return fault.WithHint(err, "the object does not belong to this addon: delete it, or give the addon's object another name with --set")
	case strings.Contains(text, "don't meet the specifications of the schema"):
		err = fault.Errorf(fault.ErrInvalid, "%w", err)
		return fault.WithHint(err, "correct these values in the file, or with --set ADDON.PATH=VALUE")
	case strings.Contains(text, `" already exists`) && fault.HintOf(err) == "":
		return fault.WithHint(err, "the chart contains the object twice, or an earlier run of a hook left it; then delete it: %s", s.deletion(text))
	case strings.Contains(text, "sh.helm.release.v1.") && strings.Contains(text, "Too long"):
		return fault.WithHint(err, "Helm stores the chart and its objects in one Secret: add large files that no template reads to .helmignore, or split the chart")
	case strings.Contains(text, "chart requires kubeVersion"):
		return fault.WithHint(err, otherVersion)
	case isUnserved(err):
		return s.explainUnserved(text)
	}
	return err
}

// deletion returns the command that deletes the object that, as an error says, exists already.
func (s *session) deletion(text string) string {
	match := regexp.MustCompile(`(\S+) "([^"]+)" already exists`).FindStringSubmatch(text)
	if match == nil {
		return "kubectl delete KIND NAME"
	}
	return fmt.Sprintf("kubectl delete %s %s --namespace %s", match[1], match[2], s.client.release.Namespace)
}

// isUnserved reports whether err says that the API server does not serve a kind.
func isUnserved(err error) bool { return strings.Contains(err.Error(), "no matches for kind") }

// explainUnserved names the kinds that the API server does not serve. Those of Kubernetes belong to
// another version of it; for others the definition is missing.
func (s *session) explainUnserved(text string) error {
	var problems []error
	hints := map[string]bool{}
	for _, match := range unserved(text) {
		kind, gv := match.Kind, match.GroupVersion()
		others := s.served(gv.Group)
		switch {
		case len(others) == 0 && !isKubernetes(gv.Group):
			problems = append(problems, fmt.Errorf("%s is not served: there is no custom resource definition for %s", gv, kind))
			hints["install the addon that provides the definition first: add it to needs"] = true
		case isKubernetes(gv.Group):
			problems = append(problems, fmt.Errorf("%s is not served by Kubernetes %s: the chart uses it for %s%s", gv, s.version(), kind, instead(gv.Group, others)))
			hints["use a version of the chart that supports this Kubernetes, or a cluster with another one: --kubernetes-version"] = true
		default:
			problems = append(problems, fmt.Errorf("%s is not served: the chart uses it for %s%s", gv, kind, instead(gv.Group, others)))
			hints["use versions of the chart and of the definition that match"] = true
		}
	}
	if len(problems) == 0 {
		return errors.New(text)
	}
	all := []string{}
	for hint := range hints {
		all = append(all, hint)
	}
	slices.Sort(all)
	return fault.WithHint(errors.Join(problems...), "%s", strings.Join(all, "; "))
}

// explainUnavailable adds to err which aggregated APIs are not available, and how to fix that.
// It asks the cluster although ctx may have ended.
func (s *session) explainUnavailable(ctx context.Context, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), explaining)
	defer cancel()
	_, failure := discovery.ServerPreferredNamespacedResources(s.client.unbound.Discovery())
	failed, ok := errors.AsType[*discovery.ErrGroupDiscoveryFailed](failure)
	if !ok {
		return err
	}
	var problems, names []string
	for _, gv := range slices.SortedFunc(maps.Keys(failed.Groups), func(a, b schema.GroupVersion) int { return strings.Compare(a.String(), b.String()) }) {
		name := gv.Version + "." + gv.Group
		names = append(names, name)
		problems = append(problems, fmt.Sprintf("APIService %s is not available: %s", name, s.whyUnavailable(ctx, name, failed.Groups[gv])))
	}
	err = fmt.Errorf("%s: %w", strings.Join(problems, "; "), err)
	return fault.WithHint(err, "fix the program behind it, or delete it: kubectl delete apiservice %s; then run the command again", strings.Join(names, " "))
}

// whyUnavailable returns the API server's reason why an aggregated API is not available, or failure.
func (s *session) whyUnavailable(ctx context.Context, name string, failure error) string {
	body, err := s.client.unbound.Discovery().RESTClient().Get().AbsPath("/apis/apiregistration.k8s.io/v1/apiservices", name).DoRaw(ctx)
	var api struct {
		Status struct{ Conditions []metav1.Condition }
	}
	if err != nil || json.Unmarshal(body, &api) != nil {
		return failure.Error()
	}
	for _, c := range api.Status.Conditions {
		if c.Type == "Available" && c.Status != metav1.ConditionTrue {
			return cmp.Or(c.Message, c.Reason)
		}
	}
	return failure.Error()
}

// unserved returns the kinds that an error of Helm names, without duplicates.
func unserved(text string) (all []schema.GroupVersionKind) {
	for _, match := range regexp.MustCompile(`no matches for kind "([^"]+)" in version "([^"]+)"`).FindAllStringSubmatch(text, -1) {
		gvk := schema.FromAPIVersionAndKind(match[2], match[1])
		if !slices.Contains(all, gvk) {
			all = append(all, gvk)
		}
	}
	return all
}

// isKubernetes reports whether an API group is part of Kubernetes. Groups of other projects end in
// .x-k8s.io, or have more labels before k8s.io.
func isKubernetes(group string) bool {
	name, isOfficial := strings.CutSuffix(group, ".k8s.io")
	known := []string{
		"admissionregistration", "apiextensions", "apiregistration", "authentication", "authorization", "certificates", "coordination",
		"discovery", "events", "flowcontrol.apiserver", "internal.apiserver", "networking", "node", "rbac.authorization", "resource",
		"scheduling", "storage", "storagemigration",
	}
	return !strings.Contains(group, ".") || isOfficial && slices.Contains(known, name)
}

func instead(group string, versions []string) string {
	if len(versions) == 0 {
		return ""
	}
	for i, v := range versions {
		versions[i] = schema.GroupVersion{Group: group, Version: v}.String()
	}
	return "; the cluster serves " + strings.Join(versions, ", ")
}

// served returns the versions of a group that the API server serves.
func (s *session) served(group string) (versions []string) {
	groups, err := s.typed.Discovery().ServerGroups()
	if err != nil {
		return nil
	}
	for _, g := range groups.Groups {
		if g.Name == group {
			for _, v := range g.Versions {
				versions = append(versions, v.Version)
			}
		}
	}
	return versions
}

// version returns the version of the API server, or "" if it does not answer.
func (s *session) version() string {
	info, err := s.typed.Discovery().ServerVersion()
	if err != nil {
		return ""
	}
	return info.GitVersion
}
