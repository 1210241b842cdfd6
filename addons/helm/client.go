package helm

import (
	"context"
	"fmt"
	"io"
	"time"

	"helm.sh/helm/v3/pkg/kube"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/cli-runtime/pkg/resource"
	"k8s.io/client-go/kubernetes"
)

// interval is between two looks at the cluster.
const interval = 100 * time.Millisecond

// client is Helm's own, but for its waits: these end with ctx, and say what they wait
// for. It holds a context because Helm's interface passes none.
type client struct {
	*kube.Client
	ctx     context.Context
	typed   kubernetes.Interface
	unbound kubernetes.Interface // its requests do not end with ctx
	moved   func(string)
	failed  error // of a hook: Helm keeps its text only
}

// Build reads objects. Helm would have the API server describe each kind first, to see
// that it checks fields itself, as every one does that lab makes; that takes both of them
// a large part of the time that an installation takes.
func (c *client) Build(manifest io.Reader, _ bool) (kube.ResourceList, error) {
	return c.Client.Build(manifest, false)
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
