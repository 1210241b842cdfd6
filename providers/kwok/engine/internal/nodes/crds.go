package nodes

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/kwok/kustomize/crd"
	"sigs.k8s.io/kwok/pkg/client/clientset/versioned"
)

// CreateCRDs creates the kinds of KWOK's objects that the engine supports, and returns when the API server
// serves all of them. It does not change existing ones.
//
// Exec, Attach, Logs, PortForward and their cluster-wide kinds are not supported, because KWOK runs
// commands and reads files of the machine for them.
func CreateCRDs(ctx context.Context, client kubernetes.Interface, kwok versioned.Interface) error {
	group, each := errgroup.WithContext(ctx)
	for _, text := range [][]byte{crd.Stage, crd.Metric, crd.ResourceUsage, crd.ClusterResourceUsage} {
		group.Go(func() error {
			body, err := yaml.ToJSON(text)
			if err != nil {
				return err
			}
			err = client.Discovery().RESTClient().Post().
				AbsPath("/apis/apiextensions.k8s.io/v1/customresourcedefinitions").
				SetHeader("Content-Type", runtime.ContentTypeJSON).Body(body).Do(each).Error()
			if apierrors.IsAlreadyExists(err) {
				return nil
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return wait.PollUntilContextCancel(ctx, 20*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		return served(ctx, kwok), nil
	})
}

// served reports whether the API server serves all kinds.
func served(ctx context.Context, kwok versioned.Interface) bool {
	api := kwok.KwokV1alpha1()
	few := metav1.ListOptions{ResourceVersion: "0", Limit: 1}
	for _, list := range []func() error{
		func() error { _, err := api.Stages().List(ctx, few); return err },
		func() error { _, err := api.Metrics().List(ctx, few); return err },
		func() error { _, err := api.ResourceUsages("").List(ctx, few); return err },
		func() error { _, err := api.ClusterResourceUsages().List(ctx, few); return err },
	} {
		if list() != nil {
			return false
		}
	}
	return true
}
