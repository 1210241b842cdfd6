package helm

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"helm.sh/helm/v3/pkg/kube"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"

	"github.com/clusterlab-dev/lab/addons"
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

	release  types.NamespacedName // that the work is on
	removing bool
	kept     []addons.Kept // objects with names of the release that are not of it
}

// Build reads objects. Helm would have the API server describe each kind first, to see
// that it checks fields itself, as every one does that lab makes; that takes both of them
// a large part of the time that an installation takes. Of a release that is being removed
// it leaves out the objects of kinds that no longer exist.
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
