package helm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"helm.sh/helm/v3/pkg/kube"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/cli-runtime/pkg/resource"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/addons/ready"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// explaining bounds the search for the cause of a failure.
const explaining = 5 * time.Second

// telling is the time between two progress messages about the pods of a hook.
const telling = 2 * time.Second

// hook is a job or a pod that a chart runs before or after Helm applies its objects.
type hook struct {
	kind, namespace, name string
	selector              string // of the labels of its pods
	version               string // of the object when it was created
	watch                 cache.WatchFuncWithContext
	get                   func(context.Context) (runtime.Object, error)
}

// WatchUntilReady waits until the jobs and pods of a hook have completed. It does not wait for
// objects of other kinds. The error names the pod and its state.
func (c *client) WatchUntilReady(resources kube.ResourceList, _ time.Duration) error {
	for _, info := range resources {
		h, ok := c.hook(info)
		if !ok {
			continue
		}
		c.say("waiting for %s %s", h.kind, h.name)
		stop := c.tell(h)
		err := h.wait(c.ctx)
		stop()
		if err != nil {
			c.failed = c.explainHook(h, err)
			return c.failed
		}
	}
	return nil
}

// hook returns the hook for a job or a pod, and false for other kinds.
func (c *client) hook(info *resource.Info) (hook, bool) {
	h := hook{namespace: info.Namespace, name: info.Name, version: info.ResourceVersion}
	switch info.Mapping.GroupVersionKind.GroupKind() {
	case schema.GroupKind{Group: batchv1.GroupName, Kind: "Job"}:
		jobs := c.typed.BatchV1().Jobs(h.namespace)
		h.kind, h.selector = "job", batchv1.JobNameLabel+"="+h.name
		h.watch = func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			return jobs.Watch(ctx, h.only(o))
		}
		h.get = func(ctx context.Context) (runtime.Object, error) { return jobs.Get(ctx, h.name, metav1.GetOptions{}) }
		return h, true
	case schema.GroupKind{Kind: "Pod"}:
		pods := c.typed.CoreV1().Pods(h.namespace)
		h.kind = "pod"
		h.watch = func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			return pods.Watch(ctx, h.only(o))
		}
		h.get = func(ctx context.Context) (runtime.Object, error) { return pods.Get(ctx, h.name, metav1.GetOptions{}) }
		return h, true
	}
	return hook{}, false
}

// only restricts a watch to the object.
func (h hook) only(o metav1.ListOptions) metav1.ListOptions {
	o.FieldSelector = fields.OneTermEqualSelector(metav1.ObjectNameField, h.name).String()
	return o
}

func (h hook) String() string { return fmt.Sprintf("hook %s %s/%s", h.kind, h.namespace, h.name) }

// wait returns when the hook has completed or failed, or ctx ends. It watches from the creation on:
// a job with a time to live of zero is deleted as soon as it is complete, and polling would miss
// that.
func (h hook) wait(ctx context.Context) error {
	for version := h.version; ; {
		done, err := h.follow(ctx, version)
		if done || !apierrors.IsGone(err) && !apierrors.IsResourceExpired(err) {
			return err
		}
		// The API server no longer has the events since version.
		object, err := h.get(ctx)
		if apierrors.IsNotFound(err) {
			return errors.New("it was deleted before lab saw its result")
		}
		if err != nil {
			return err
		}
		if done, err := ran(object); done || err != nil {
			return err
		}
		if version, err = meta.NewAccessor().ResourceVersion(object); err != nil {
			return err
		}
	}
}

// follow handles the events since version until the hook is done or the watch ends. The watch
// continues when a request ends.
func (h hook) follow(ctx context.Context, version string) (bool, error) {
	w, err := watchtools.NewRetryWatcherWithContext(ctx, version, &cache.ListWatch{WatchFuncWithContext: h.watch})
	if err != nil {
		return false, err
	}
	defer w.Stop()
	for event := range w.ResultChan() {
		if event.Type == watch.Error {
			return false, apierrors.FromObject(event.Object)
		}
		// The event of the deletion also has the final status.
		if done, err := ran(event.Object); done || err != nil {
			return done, err
		}
		if event.Type == watch.Deleted {
			return false, errors.New("it was deleted before it had run")
		}
	}
	return false, cmp.Or(ctx.Err(), errors.New("the API server ended the watch"))
}

// ran reports whether a job or a pod has completed. It returns an error if it failed.
func ran(object runtime.Object) (bool, error) {
	switch o := object.(type) {
	case *batchv1.Job:
		for _, condition := range o.Status.Conditions {
			switch {
			case condition.Status != corev1.ConditionTrue:
			case condition.Type == batchv1.JobComplete:
				return true, nil
			case condition.Type == batchv1.JobFailed:
				return false, errors.New("it failed: " + cmp.Or(condition.Message, condition.Reason))
			}
		}
	case *corev1.Pod:
		switch o.Status.Phase {
		case corev1.PodSucceeded:
			return true, nil
		case corev1.PodFailed:
			return false, errors.New(strings.TrimSuffix("it failed: "+cmp.Or(o.Status.Message, o.Status.Reason), ": "))
		}
	}
	return false, nil
}

// tell reports every [telling] why the pods of a hook do not run, until stop is called.
func (c *client) tell(h hook) (stop func()) {
	ctx, cancel := context.WithCancel(c.ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for tick := time.NewTicker(telling); ; {
			select {
			case <-ctx.Done():
				tick.Stop()
				return
			case <-tick.C:
			}
			if why := ready.WhyPods(ctx, c.typed, h.namespace, h.pods()); ctx.Err() == nil {
				c.say("waiting for %s %s: %s", h.kind, h.name, why)
			}
		}
	}()
	return func() { cancel(); <-done }
}

// pods selects the pods of the hook.
func (h hook) pods() metav1.ListOptions {
	if h.selector == "" {
		return h.only(metav1.ListOptions{})
	}
	return metav1.ListOptions{LabelSelector: h.selector}
}

// explainHook adds to the failure of a hook the state of its pods and the commands that show more.
// It sends requests although c.ctx may have ended.
func (c *client) explainHook(h hook, cause error) error {
	if errors.Is(cause, context.Canceled) {
		return fmt.Errorf("%s: %w", h, cause)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), explaining)
	defer cancel()
	verb := ""
	if errors.Is(cause, context.DeadlineExceeded) {
		verb = " did not finish"
	}
	err := fmt.Errorf("%s%s: %w", h, verb, cause)
	if why := ready.WhyPods(ctx, c.unbound, h.namespace, h.pods()); why != "" {
		err = fmt.Errorf("%s%s: %s: %w", h, verb, why, cause)
	}
	return fault.WithHint(&addons.HookError{Err: err}, "look at the %[1]s: kubectl describe %[1]s %[2]s --namespace %[3]s; its output: kubectl logs %[1]s/%[2]s --namespace %[3]s",
		h.kind, h.name, h.namespace)
}
