// Package volumes binds, releases and reclaims persistent volumes.
//
// It runs the controller of Kubernetes without the volume plugins of the controller manager. Those work on
// the machine on which the controller manager runs: they provision hostPath volumes as directories below
// /tmp, and delete the directory that a hostPath volume names. Here, that is the machine of the user.
package volumes

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/kubernetes/pkg/controller/volume/persistentvolume"
	"k8s.io/kubernetes/pkg/volume"
)

const (
	// resync is how often the informers replay their objects, as in the controller manager.
	resync = 12 * time.Hour
	// sync is how often the controller checks all volumes and claims, as in the controller manager.
	sync = 15 * time.Second
)

// Run runs the controller until ctx is cancelled. The API server must answer.
func Run(ctx context.Context, client kubernetes.Interface) error {
	shared := informers.NewSharedInformerFactoryWithOptions(client, resync, informers.WithTransform(trim))
	controller, err := persistentvolume.NewController(ctx, persistentvolume.ControllerParameters{
		KubeClient:                client,
		SyncPeriod:                sync,
		VolumePlugins:             []volume.VolumePlugin{plugin{}},
		VolumeInformer:            shared.Core().V1().PersistentVolumes(),
		ClaimInformer:             shared.Core().V1().PersistentVolumeClaims(),
		ClassInformer:             shared.Storage().V1().StorageClasses(),
		PodInformer:               shared.Core().V1().Pods(),
		NodeInformer:              shared.Core().V1().Nodes(),
		EnableDynamicProvisioning: true,
	})
	if err != nil {
		return err
	}
	shared.StartWithContext(ctx)
	defer shared.Shutdown()
	controller.Run(ctx)
	return nil
}

// trim removes the parts of an object that the controller does not read and that need most of the memory.
// The controller manager caches the same pods and nodes, too.
func trim(object any) (any, error) {
	switch o := object.(type) {
	case *corev1.Pod:
		o.ManagedFields = nil
		o.Spec.Containers, o.Spec.InitContainers = nil, nil
	case *corev1.Node:
		o.ManagedFields = nil
		o.Status = corev1.NodeStatus{}
	}
	return object, nil
}
