package nodes

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/tools/cache"
	"sigs.k8s.io/kwok/pkg/apis/internalversion"
	"sigs.k8s.io/kwok/pkg/apis/v1alpha1"
	"sigs.k8s.io/kwok/pkg/client/clientset/versioned"
	kwoklog "sigs.k8s.io/kwok/pkg/log"
)

// calm is how long no stage may change before the changes are applied, because users apply several at
// once.
const calm = 100 * time.Millisecond

// watchStages sends all stages of users each time that one changes, until ctx is cancelled.
func watchStages(ctx context.Context, kwok versioned.Interface) <-chan []*internalversion.Stage {
	changed := make(chan struct{}, 1)
	change := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	store, controller := cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: cache.NewListWatchFromClient(kwok.KwokV1alpha1().RESTClient(), "stages", "", fields.Everything()),
		ObjectType:    &v1alpha1.Stage{},
		Handler: cache.ResourceEventHandlerFuncs{
			AddFunc: func(any) { change() },
			UpdateFunc: func(old, now any) {
				if old.(*v1alpha1.Stage).ResourceVersion != now.(*v1alpha1.Stage).ResourceVersion {
					change()
				}
			},
			DeleteFunc: func(any) { change() },
		},
	})
	go controller.RunWithContext(ctx)

	all := make(chan []*internalversion.Stage)
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-changed:
			}
			settle(ctx, changed)
			select {
			case <-ctx.Done():
				return
			case all <- internal(ctx, store):
			}
		}
	}()
	return all
}

// settle returns when nothing has changed for calm.
func settle(ctx context.Context, changed <-chan struct{}) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-time.After(calm):
			return
		}
	}
}

func internal(ctx context.Context, store cache.Store) []*internalversion.Stage {
	var all []*internalversion.Stage
	for _, object := range store.List() {
		stage, err := internalversion.ConvertToInternalStage(object.(*v1alpha1.Stage))
		if err != nil {
			kwoklog.FromContext(ctx).Warn("a stage is ignored", "stage", object.(*v1alpha1.Stage).Name, "err", err)
			continue
		}
		all = append(all, stage)
	}
	return all
}
