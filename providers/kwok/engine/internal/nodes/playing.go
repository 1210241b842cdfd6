package nodes

import (
	"context"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/kwok/pkg/apis/internalversion"
	"sigs.k8s.io/kwok/pkg/kwok/controllers"
	kwoklog "sigs.k8s.io/kwok/pkg/log"
	"sigs.k8s.io/kwok/pkg/utils/informer"
)

// playing contains the current KWOK controller. RunKwok replaces it when users change stages; the server
// that uses it stays the same.
type playing struct {
	controller atomic.Pointer[controllers.Controller]
}

// play starts a controller with the stages. It runs until stop is called.
func (p *playing) play(ctx context.Context, conf controllers.Config, stages map[internalversion.StageResourceRef][]*internalversion.Stage) (stop func(), err error) {
	conf.LocalStages = stages
	controller, err := controllers.NewController(conf)
	if err != nil {
		return nil, err
	}
	ctx, stop = context.WithCancel(ctx)
	if err := controller.Start(ctx); err != nil {
		stop()
		return nil, err
	}
	p.controller.Store(controller)
	return stop, nil
}

// replay starts a controller with the stages of users, or without them if KWOK does not start with them.
func (p *playing) replay(ctx context.Context, conf controllers.Config, builtin, users []*internalversion.Stage) (stop func(), err error) {
	stop, err = p.play(ctx, conf, known(ctx, conf.RESTMapper, inForce(builtin, users)))
	if err == nil || ctx.Err() != nil {
		return stop, err
	}
	kwoklog.FromContext(ctx).Error("the stages of users are ignored", "err", err)
	return p.play(ctx, conf, inForce(builtin, nil))
}

// known removes the stages of kinds that the API server does not serve, because KWOK does not start with
// them.
func known(ctx context.Context, mapper meta.RESTMapper, stages map[internalversion.StageResourceRef][]*internalversion.Stage) map[internalversion.StageResourceRef][]*internalversion.Stage {
	for ref := range stages {
		version, err := schema.ParseGroupVersion(ref.APIGroup)
		if err == nil {
			_, err = mapper.ResourceFor(version.WithResource(ref.Kind))
		}
		if err != nil {
			kwoklog.FromContext(ctx).Warn("stages of a kind that is not served are ignored", "ref", ref, "err", err)
			delete(stages, ref)
		}
	}
	return stages
}

// The methods below are those that the server of the kubelets needs.

func (p *playing) ListNodes() []string { return p.controller.Load().ListNodes() }

func (p *playing) ListPods(node string) ([]kwoklog.ObjectRef, bool) {
	return p.controller.Load().ListPods(node)
}

func (p *playing) StartedContainersTotal(node string) int64 {
	return p.controller.Load().StartedContainersTotal(node)
}

func (p *playing) nodes() informer.Getter[*corev1.Node] { return p.controller.Load().GetNodeCache() }

func (p *playing) pods() informer.Getter[*corev1.Pod] { return p.controller.Load().GetPodCache() }

// latest is a cache of objects that reads from the current controller.
type latest[T runtime.Object] func() informer.Getter[T]

func (l latest[T]) Get(name string) (T, bool) { return l().Get(name) }

func (l latest[T]) GetWithNamespace(name, namespace string) (T, bool) {
	return l().GetWithNamespace(name, namespace)
}

func (l latest[T]) List() []T { return l().List() }
