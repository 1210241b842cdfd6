// Package live implements [exercises.Cluster] on the API server of a cluster.
package live

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterlab-dev/lab/exercises"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// maxBody is how much of the answer of a Service is read, in bytes.
const maxBody = 64 << 10

// Cluster is a cluster that a kubeconfig names.
type Cluster struct {
	dynamic dynamic.Interface
	typed   kubernetes.Interface
}

// Connect returns the cluster of a kubeconfig. It sends no request.
func Connect(kubeconfig []byte) (exercises.Cluster, error) {
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("cannot read the kubeconfig of the cluster: %w", err)
	}
	config.QPS = -1 // an exercise sends few requests, and a person waits for them
	typed, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	dynamic, err := dynamic.NewForConfig(config)
	return &Cluster{dynamic, typed}, err
}

func (c *Cluster) client(r exercises.Resource, namespace string) dynamic.ResourceInterface {
	group, _ := schema.ParseGroupVersion(r.APIVersion) // from the table of resources
	client := c.dynamic.Resource(group.WithResource(r.Plural))
	if r.Clustered || namespace == "" {
		return client
	}
	return client.Namespace(namespace)
}

// Get implements [exercises.Cluster].
func (c *Cluster) Get(ctx context.Context, r exercises.Resource, namespace, name string) (exercises.Object, error) {
	o, err := c.client(r, namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, kinded(err)
	}
	return o.Object, nil
}

// List implements [exercises.Cluster].
func (c *Cluster) List(ctx context.Context, r exercises.Resource, namespace, selector string) ([]exercises.Object, error) {
	list, err := c.client(r, namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return nil, kinded(err)
	}
	slices.SortFunc(list.Items, func(a, b unstructured.Unstructured) int {
		return strings.Compare(a.GetNamespace()+"/"+a.GetName(), b.GetNamespace()+"/"+b.GetName())
	})
	objects := make([]exercises.Object, len(list.Items))
	for i, item := range list.Items {
		objects[i] = item.Object
	}
	return objects, nil
}

// Create implements [exercises.Cluster].
func (c *Cluster) Create(ctx context.Context, r exercises.Resource, namespace string, o exercises.Object) error {
	_, err := c.client(r, namespace).Create(ctx, copied(o), metav1.CreateOptions{})
	return kinded(err)
}

// Update implements [exercises.Cluster].
func (c *Cluster) Update(ctx context.Context, r exercises.Resource, namespace string, o exercises.Object) error {
	_, err := c.client(r, namespace).Update(ctx, copied(o), metav1.UpdateOptions{})
	return kinded(err)
}

// copied returns a copy, because the client writes the answer into the object.
func copied(o exercises.Object) *unstructured.Unstructured {
	return (&unstructured.Unstructured{Object: o}).DeepCopy()
}

// Delete implements [exercises.Cluster].
func (c *Cluster) Delete(ctx context.Context, r exercises.Resource, namespace string, o exercises.Object) error {
	u := unstructured.Unstructured{Object: o}
	uid, background := types.UID(u.GetUID()), metav1.DeletePropagationBackground
	err := c.client(r, namespace).Delete(ctx, u.GetName(), metav1.DeleteOptions{
		Preconditions: &metav1.Preconditions{UID: &uid}, PropagationPolicy: &background,
	})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) { // gone, or another object by now
		return nil
	}
	return kinded(err)
}

// Evict implements [exercises.Cluster].
func (c *Cluster) Evict(ctx context.Context, namespace string, o exercises.Object) (bool, error) {
	u := unstructured.Unstructured{Object: o}
	uid := u.GetUID()
	err := c.typed.PolicyV1().Evictions(namespace).Evict(ctx, &policyv1.Eviction{
		ObjectMeta:    metav1.ObjectMeta{Name: u.GetName(), Namespace: namespace},
		DeleteOptions: &metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}},
	})
	switch {
	case err == nil, apierrors.IsNotFound(err), apierrors.IsConflict(err): // gone, or another pod by now
		return true, nil
	case apierrors.IsTooManyRequests(err):
		return false, nil
	}
	return false, kinded(err)
}

// Empty implements [exercises.Cluster].
func (c *Cluster) Empty(ctx context.Context, namespace string) (pods int, err error) {
	second, background := int64(1), metav1.DeletePropagationBackground
	for _, kind := range []string{"CronJob", "Job", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Pod"} {
		r, _ := exercises.ResourceOf(kind)
		list, err := c.client(r, namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return 0, kinded(err)
		}
		if kind == "Pod" {
			pods = len(list.Items)
		}
		if len(list.Items) == 0 {
			continue
		}
		options := metav1.DeleteOptions{PropagationPolicy: &background}
		if kind == "Pod" {
			options.GracePeriodSeconds = &second
		}
		if err := c.client(r, namespace).DeleteCollection(ctx, options, metav1.ListOptions{}); err != nil {
			return pods, kinded(err)
		}
	}
	return pods, nil
}

// Watch implements [exercises.Cluster].
func (c *Cluster) Watch(ctx context.Context, w exercises.Watched, changed func()) error {
	options := metav1.ListOptions{LabelSelector: w.Selector}
	if w.Name != "" {
		options.FieldSelector = fields.OneTermEqualSelector(metav1.ObjectNameField, w.Name).String()
	}
	stream, err := c.client(w.Resource, w.Namespace).Watch(ctx, options)
	if err != nil {
		return kinded(err)
	}
	defer stream.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case e, open := <-stream.ResultChan():
			if !open {
				return nil
			}
			if e.Type == watch.Error {
				return kinded(apierrors.FromObject(e.Object))
			}
			changed()
		}
	}
}

// Log implements [exercises.Cluster].
func (c *Cluster) Log(ctx context.Context, namespace, pod string, lines int) (string, error) {
	tail, limit := int64(lines), int64(maxBody)
	text, err := c.typed.CoreV1().Pods(namespace).GetLogs(pod, &corev1.PodLogOptions{TailLines: &tail, LimitBytes: &limit}).DoRaw(ctx)
	return string(text), kinded(err)
}

// Ask implements [exercises.Cluster].
func (c *Cluster) Ask(ctx context.Context, namespace, service string, port int, path string) exercises.Answer {
	var status int
	result := c.typed.CoreV1().RESTClient().Get().Namespace(namespace).Resource("services").
		Name("http:" + service + ":" + strconv.Itoa(port)).SubResource("proxy").Suffix(path).Do(ctx).StatusCode(&status)
	body, err := result.Raw()
	answer := exercises.Answer{Status: status, Body: string(body[:min(len(body), maxBody)])}
	if err != nil && (status == 0 || status == http.StatusServiceUnavailable) {
		answer.Status, answer.Err = 0, err.Error()
	}
	return answer
}

// kinded returns the error of an API server with its kind.
func kinded(err error) error {
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case apierrors.IsNotFound(err):
		return fault.Errorf(fault.ErrNotFound, "%w", err)
	case apierrors.IsAlreadyExists(err):
		return fault.Errorf(fault.ErrExists, "%w", err)
	case apierrors.ReasonForError(err) == metav1.StatusReasonUnknown:
		err = fault.Errorf(fault.ErrUnavailable, "the API server does not answer: %w", err)
		return fault.WithHint(err, "check the cluster: lab status NAME; start it again: lab start NAME")
	}
	return err
}
