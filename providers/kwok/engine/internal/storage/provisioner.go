package storage

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	storagelisters "k8s.io/client-go/listers/storage/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/reconcile"
)

// provisioner creates, enlarges and removes volumes, as the sidecars of a CSI driver do. The controller
// manager binds claims to volumes.
type provisioner struct {
	client  kubernetes.Interface
	claims  corelisters.PersistentVolumeClaimLister
	volumes corelisters.PersistentVolumeLister
	classes storagelisters.StorageClassLister
	queue   reconcile.Queue[key]
}

// key names a claim, or a volume if namespace is "".
type key struct{ namespace, name string }

// Run provisions volumes until ctx is cancelled.
func Run(ctx context.Context, client kubernetes.Interface) error {
	factory := informers.NewSharedInformerFactory(client, 0)
	claims, volumes := factory.Core().V1().PersistentVolumeClaims(), factory.Core().V1().PersistentVolumes()
	p := &provisioner{
		client:  client,
		claims:  claims.Lister(),
		volumes: volumes.Lister(),
		classes: factory.Storage().V1().StorageClasses().Lister(),
		queue:   reconcile.NewQueue[key](),
	}
	for _, informer := range []cache.SharedIndexInformer{claims.Informer(), volumes.Informer()} {
		if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    p.enqueue,
			UpdateFunc: func(_, now any) { p.enqueue(now) },
		}); err != nil {
			return err
		}
	}
	factory.Start(ctx.Done())
	defer factory.Shutdown()
	factory.WaitForCacheSync(ctx.Done())
	reconcile.Run(ctx, p.queue, p.look)
	return nil
}

func (p *provisioner) enqueue(object any) {
	switch o := object.(type) {
	case *corev1.PersistentVolumeClaim:
		p.queue.Add(key{o.Namespace, o.Name})
	case *corev1.PersistentVolume:
		p.queue.Add(key{name: o.Name})
		if ref := o.Spec.ClaimRef; ref != nil {
			p.queue.Add(key{ref.Namespace, ref.Name}) // the size of the claim may change with it
		}
	}
}

func (p *provisioner) look(ctx context.Context, k key) error {
	if k.namespace == "" {
		return p.volume(ctx, k)
	}
	return p.claim(ctx, k)
}
