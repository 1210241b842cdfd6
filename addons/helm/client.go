package helm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"helm.sh/helm/v3/pkg/kube"
	"helm.sh/helm/v3/pkg/release"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/cli-runtime/pkg/resource"
	"k8s.io/client-go/kubernetes"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// interval is the time between two requests while waiting.
const interval = 100 * time.Millisecond

// client is Helm's client with other waits: they end with ctx, and report what they wait for. It
// holds a context because Helm's interface passes none.
type client struct {
	*kube.Client
	ctx     context.Context
	typed   kubernetes.Interface
	unbound kubernetes.Interface // its requests do not end with ctx
	moved   func(string)
	failed  error // of a hook or a deletion: Helm keeps only its text

	release  types.NamespacedName // the release to change
	removing bool
	kept     []addons.Kept // objects that Remove keeps
}

// Build reads objects. Helm's own first has the API server describe each kind, to find out whether
// it validates fields; all supported versions do, and the descriptions take much of the time of an
// installation. For a release that is being removed, Build omits objects of kinds that no longer
// exist.
func (c *client) Build(manifest io.Reader, _ bool) (kube.ResourceList, error) {
	if !c.removing {
		return c.Client.Build(manifest, false)
	}
	text, err := io.ReadAll(manifest)
	if err != nil {
		return nil, err
	}
	var all kube.ResourceList
	for _, doc := range split(string(text)) {
		infos, err := c.Client.Build(strings.NewReader(doc), false)
		if err != nil && !isUnserved(err) {
			return nil, err
		}
		all = append(all, infos...)
	}
	return all, nil
}

// poll calls done until it returns true or an error, or ctx ends. The error is that of ctx if
// ctx has ended.
func poll(ctx context.Context, interval time.Duration, done wait.ConditionWithContextFunc) error {
	err := wait.PollUntilContextCancel(ctx, interval, true, done)
	return cmp.Or(ctx.Err(), err)
}

func (c *client) say(format string, args ...any) {
	if c.moved != nil {
		c.moved(fmt.Sprintf(format, args...))
	}
}

// The annotations that Helm adds to the objects of a release, and that charts add to hooks.
const (
	releaseNameMark      = "meta.helm.sh/release-name"
	releaseNamespaceMark = "meta.helm.sh/release-namespace"
	hookMark             = release.HookAnnotation
)

// isOf reports whether an object has the annotations of a release.
func isOf(o metav1.Object, rel types.NamespacedName) bool {
	marks := o.GetAnnotations()
	return marks[releaseNameMark] == rel.Name && marks[releaseNamespaceMark] == rel.Namespace
}

// isShared reports whether objects of a kind can contain other objects, which would be
// deleted with them.
func isShared(info *resource.Info) bool {
	kind := info.Mapping.GroupVersionKind.GroupKind()
	return kind.Group == "" && kind.Kind == "Namespace" || isDefinition(info)
}

// DeleteWithPropagationPolicy deletes the objects of the release that is being removed. Helm's own
// deletes any object with their names. It skips definitions and namespaces, which
// [Installer.Remove] deletes later if nothing else depends on them.
func (c *client) DeleteWithPropagationPolicy(all kube.ResourceList, policy metav1.DeletionPropagation) (*kube.Result, []error) {
	mine, err := c.owned(all.Filter(func(i *resource.Info) bool { return !isShared(i) }))
	if err != nil {
		return nil, []error{err}
	}
	if len(mine) == 0 {
		return &kube.Result{}, nil
	}
	result, errs := c.Client.DeleteWithPropagationPolicy(mine, policy)
	c.failed = errors.Join(errs...) // Helm discards the errors
	return result, errs
}

// owned returns the objects of a list that exist and belong to the release that is being removed,
// in their current state. It adds the others to those that are kept.
func (c *client) owned(all kube.ResourceList) (kube.ResourceList, error) {
	var mine kube.ResourceList
	for _, info := range all {
		live, err := c.live(info)
		switch {
		case err != nil:
			return nil, err
		case live == nil:
		case isOf(live, c.release):
			mine = append(mine, info)
		default:
			c.keep(info, "it does not belong to the release: its annotation "+releaseNameMark+" is missing or names another one", false)
		}
	}
	return mine, nil
}

// keep notes that an object is kept, and why, once. own is [addons.Kept.Own].
func (c *client) keep(info *resource.Info, reason string, own bool) {
	o := addons.Object{Kind: info.Mapping.GroupVersionKind.Kind, Namespace: info.Namespace, Name: info.Name}
	if !slices.ContainsFunc(c.kept, func(k addons.Kept) bool { return k.Object == o }) {
		c.kept = append(c.kept, addons.Kept{Object: o, Reason: reason, Own: own})
	}
}

// Create creates objects. It puts lab's mark on those of hooks, which have none of Helm's: see
// [releases.removeHooks].
func (c *client) Create(all kube.ResourceList) (*kube.Result, error) {
	for _, info := range all {
		object, err := meta.Accessor(info.Object)
		if err != nil {
			return nil, err
		}
		if object.GetAnnotations()[hookMark] == "" {
			continue
		}
		labels := maps.Clone(object.GetLabels())
		if labels == nil {
			labels = map[string]string{}
		}
		labels[addonLabel] = c.release.Name
		object.SetLabels(labels)
	}
	return c.Client.Create(all)
}

// live reads the object into info, and returns it, or nil if it does not exist.
func (c *client) live(info *resource.Info) (metav1.Object, error) {
	object, err := resource.NewHelper(info.Client, info.Mapping).Get(info.Namespace, info.Name)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err == nil {
		err = info.Refresh(object, true)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read %s %s: %w", info.Mapping.GroupVersionKind.Kind, info.Name, err)
	}
	return meta.Accessor(object)
}

// Delete deletes hooks before they are created again, and after they completed. It returns
// ErrForeign for an object that has a hook's name but is not a hook.
func (c *client) Delete(all kube.ResourceList) (*kube.Result, []error) {
	for _, info := range all {
		if info.Name == "" {
			err := fault.Errorf(fault.ErrInvalid, "a hook of kind %s has generateName, but its delete policy requires a name", info.Mapping.GroupVersionKind.Kind)
			c.failed = fault.WithHint(err, "set metadata.name of the hook in the chart, or its annotation helm.sh/hook-delete-policy to hook-failed")
			return nil, []error{c.failed}
		}
		live, err := c.live(info)
		if err == nil && live != nil && live.GetAnnotations()[hookMark] == "" && !isOf(live, c.release) {
			kind := info.Mapping.GroupVersionKind.Kind
			err = fault.Errorf(fault.ErrForeign, "%s %s/%s has the name of a hook of the chart, but does not belong to the chart", kind, info.Namespace, info.Name)
			err = fault.WithHint(err, "delete it if you do not need it: kubectl delete %s %s --namespace %s", kind, info.Name, info.Namespace)
			c.failed = err // Helm keeps only its text
		}
		if err != nil {
			return nil, []error{err}
		}
	}
	return c.Client.Delete(all)
}

// Update upgrades the objects. Helm deletes objects that the new chart lacks, whoever created them.
// So Update hides from Helm objects that do not belong to the release, and definitions and
// namespaces, which [Installer.Remove] deletes if nothing depends on them.
func (c *client) Update(original, target kube.ResourceList, force bool) (*kube.Result, error) {
	before := original.Intersect(target)
	for _, info := range original.Difference(target) {
		if isShared(info) {
			continue
		}
		live, err := c.live(info)
		if err != nil {
			return &kube.Result{}, err
		}
		if live != nil && isOf(live, c.release) {
			before = append(before, info)
		}
	}
	return c.Client.Update(before, target, force)
}

// WaitForDelete waits until the resources are deleted. A resource of the same name that was created
// since is another one.
func (c *client) WaitForDelete(resources kube.ResourceList, _ time.Duration) error {
	for _, info := range resources {
		kind := info.Mapping.GroupVersionKind.Kind
		id, finalizers := uidOf(info), []string(nil)
		err := poll(c.ctx, interval, func(context.Context) (bool, error) {
			live, err := c.live(info)
			if err != nil || live == nil || id != "" && live.GetUID() != id {
				return err == nil, err
			}
			finalizers = live.GetFinalizers()
			c.say("waiting until %s %s is deleted", kind, info.Name)
			return false, nil
		})
		if err == nil {
			continue
		}
		if len(finalizers) == 0 {
			return fmt.Errorf("%s %s is not deleted yet: %w", kind, info.Name, err)
		}
		err = fmt.Errorf("%s %s is not deleted yet: its finalizers are %q: %w", kind, info.Name, finalizers, err)
		return fault.WithHint(err, "if the program that removes them no longer runs: %s", unfinalize(info))
	}
	return nil
}

func uidOf(info *resource.Info) types.UID {
	o, err := meta.Accessor(info.Object)
	if err != nil {
		return ""
	}
	return o.GetUID()
}

const keepAnnotation = kube.ResourcePolicyAnno

// isDeleted reports whether Helm deletes an object with its release.
func isDeleted(info *resource.Info) bool {
	object, ok := info.Object.(*unstructured.Unstructured)
	return !ok || object.GetAnnotations()[keepAnnotation] != kube.KeepPolicy
}

func isDefinition(info *resource.Info) bool {
	return info.Mapping.GroupVersionKind.Kind == "CustomResourceDefinition"
}
