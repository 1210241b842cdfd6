package helm

import (
	"context"
	"fmt"
	"io"
	"time"

	"helm.sh/helm/v3/pkg/kube"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/resource"
	"k8s.io/client-go/kubernetes"
)

// interval is between two looks at the cluster.
const interval = 100 * time.Millisecond

// client is Helm's own, but for its waits: these end with ctx, and say what they wait
// for. It holds a context because Helm's interface passes none.
type client struct {
	*kube.Client
	ctx   context.Context
	typed kubernetes.Interface
	moved func(string)
}

// Build reads objects. Helm would have the API server describe each kind first, to see
// that it checks fields itself, as every one does that lab makes; that takes both of them
// a large part of the time that an installation takes.
func (c *client) Build(manifest io.Reader, _ bool) (kube.ResourceList, error) {
	return c.Client.Build(manifest, false)
}

// WatchUntilReady waits until the jobs and pods of a hook have run.
func (c *client) WatchUntilReady(resources kube.ResourceList, _ time.Duration) error {
	for _, info := range resources {
		err := c.poll(func() (bool, error) { return c.hookDone(info) })
		if err != nil {
			return err
		}
	}
	return nil
}

// hookDone tells whether a job or a pod has run. Other kinds have nothing to run.
func (c *client) hookDone(info *resource.Info) (bool, error) {
	switch info.Mapping.GroupVersionKind.Kind {
	case "Job":
		job, err := c.typed.BatchV1().Jobs(info.Namespace).Get(c.ctx, info.Name, metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		c.say("waiting for job %s", info.Name)
		return jobDone(job)
	case "Pod":
		pod, err := c.typed.CoreV1().Pods(info.Namespace).Get(c.ctx, info.Name, metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		c.say("waiting for pod %s", info.Name)
		return podDone(pod)
	}
	return true, nil
}

func jobDone(job *batchv1.Job) (bool, error) {
	for _, condition := range job.Status.Conditions {
		if condition.Status != corev1.ConditionTrue {
			continue
		}
		switch condition.Type {
		case batchv1.JobComplete:
			return true, nil
		case batchv1.JobFailed:
			return false, fmt.Errorf("job %s/%s failed: %s", job.Namespace, job.Name, condition.Message)
		}
	}
	return false, nil
}

func podDone(pod *corev1.Pod) (bool, error) {
	switch pod.Status.Phase {
	case corev1.PodSucceeded:
		return true, nil
	case corev1.PodFailed:
		return false, fmt.Errorf("pod %s/%s failed: %s", pod.Namespace, pod.Name, pod.Status.Message)
	}
	return false, nil
}

// WaitForDelete waits until none of the resources is there any more.
func (c *client) WaitForDelete(resources kube.ResourceList, _ time.Duration) error {
	for _, info := range resources {
		err := c.poll(func() (bool, error) {
			_, err := resource.NewHelper(info.Client, info.Mapping).Get(info.Namespace, info.Name)
			if apierrors.IsNotFound(err) {
				return true, nil
			}
			c.say("waiting for %s %s to be gone", info.Mapping.GroupVersionKind.Kind, info.Name)
			return false, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// poll calls done until it says so, fails, or ctx ends.
func (c *client) poll(done func() (bool, error)) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		ok, err := done()
		if c.ctx.Err() != nil {
			return c.ctx.Err()
		}
		if ok || err != nil {
			return err
		}
		select {
		case <-c.ctx.Done():
		case <-tick.C:
		}
	}
}

func (c *client) say(format string, args ...any) {
	if c.moved != nil {
		c.moved(fmt.Sprintf(format, args...))
	}
}
