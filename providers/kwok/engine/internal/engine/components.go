package engine

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/controlplane"
	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/egress"
	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/nodes"
	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/simulated"
	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/storage"
	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/supervise"
	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/volumes"
)

// grace is how long a component of Kubernetes may take to stop. Nothing is lost
// by leaving one behind: all that was acknowledged is on the disk.
const grace = time.Second

// components lists the parts. The default roles are created at the first start only: what
// a person deletes later stays deleted. A node that was deleted comes back with the next
// start, as that of a machine does whose kubelet starts.
func (e *engine) components() []supervise.Component {
	list := []supervise.Component{
		{Name: "egress proxy", Run: e.runEgress, Grace: grace},
		{Name: "etcd", Step: "Starting etcd", Run: e.runEtcd, Grace: 5 * grace},
		{Name: "kube-apiserver", Step: "Starting the API server", Needs: []string{"egress proxy", "etcd"}, Run: e.runAPIServer, Grace: grace},
		{Name: "kube-controller-manager", Step: "Starting the controllers", Needs: []string{"kube-apiserver"}, Run: atOnce(e.runControllerManager), Grace: grace},
		{Name: "kube-scheduler", Step: "Starting the scheduler", Needs: []string{"kube-apiserver"}, Run: atOnce(e.runScheduler), Grace: grace},
		{Name: "volumes", Needs: []string{"kube-apiserver"}, Run: atOnce(runVolumes), Grace: grace},
		{Name: "kwok", Step: "Starting the nodes", Needs: []string{"kube-apiserver"}, Run: e.runKwok, Grace: grace},
		{Name: "storage", Needs: []string{"kube-apiserver"}, Run: atOnce(runStorage), Grace: grace},
		{Name: "aggregated APIs", Needs: []string{"kube-apiserver"}, Run: atOnce(unanswered(simulated.RunAPIServices)), Grace: grace},
		{Name: "conversions", Needs: []string{"kube-apiserver"}, Run: atOnce(unanswered(simulated.RunNamespaces)), Grace: grace},
		{Name: "repair", Needs: []string{"kube-apiserver"}, Run: atOnce(reconcileDefaults), Grace: grace},
		{Name: "nodes", Step: e.creating(), Needs: []string{"kube-apiserver"}, Run: patient(e.createNodes), Task: true},
		{Name: "readiness", Step: "Waiting for the cluster to be ready", Needs: []string{"kube-apiserver"}, Run: e.awaitReady, Task: true},
	}
	if !e.status.EverReady {
		list = append(list, supervise.Component{
			Name: "defaults", Step: "Creating roles", Needs: []string{"kube-apiserver"}, Run: patient(createDefaults), Task: true,
		})
	}
	return list
}

// creating is the step of the creation of the nodes, which is one at the first start only.
func (e *engine) creating() string {
	switch {
	case e.status.EverReady:
		return ""
	case e.config.Workers == 0:
		return "Creating the node"
	}
	return fmt.Sprintf("Creating %d nodes", e.config.Workers+1)
}

func (e *engine) runEgress(ctx context.Context, ready func()) error {
	ready()
	return egress.Proxy{Routes: e.routes.of}.Serve(ctx, e.egress)
}

func (e *engine) runEtcd(ctx context.Context, ready func()) error {
	return controlplane.RunEtcd(ctx, e.journal.Etcd(), ready)
}

func (e *engine) runControllerManager(ctx context.Context) error {
	return controlplane.RunControllerManager(ctx, e.settings)
}

func (e *engine) runScheduler(ctx context.Context) error {
	return controlplane.RunScheduler(ctx, e.settings)
}

func (e *engine) runKwok(ctx context.Context, ready func()) error {
	return nodes.RunKwok(ctx, controlplane.EngineKubeconfig, e.journal.Kwok(), e.routes.kubeletsMoved, ready)
}

func runVolumes(ctx context.Context) error {
	client, err := newClient()
	if err != nil {
		return err
	}
	return volumes.Run(ctx, client)
}

func (e *engine) createNodes(ctx context.Context, _ func()) error {
	client, err := newClient()
	if err != nil {
		return err
	}
	return nodes.Create(ctx, client, e.config.Name, e.config.ControlPlane, e.config.Workers, e.status.KubernetesVersion)
}

func createDefaults(ctx context.Context, _ func()) error {
	client, err := newClient()
	if err != nil {
		return err
	}
	if err := storage.CreateClass(ctx, client); err != nil {
		return err
	}
	return controlplane.CreateDefaults(ctx, client)
}

func runStorage(ctx context.Context) error {
	client, err := newClient()
	if err != nil {
		return err
	}
	return storage.Run(ctx, client)
}

// unanswered runs what looks after objects that count on a pod's answer.
func unanswered(run func(context.Context, dynamic.Interface, kubernetes.Interface, simulated.Services) error) func(context.Context) error {
	return func(ctx context.Context) error {
		services, err := newServices()
		if err != nil {
			return err
		}
		config, err := jsonConfig()
		if err != nil {
			return err
		}
		objects, err := dynamic.NewForConfig(config)
		if err != nil {
			return err
		}
		return run(ctx, objects, services.Client, services)
	}
}

func reconcileDefaults(ctx context.Context) error {
	config, err := clientConfig()
	if err != nil {
		return err
	}
	return controlplane.ReconcileDefaults(ctx, config)
}

// patient does a task again while the API server fails at it: etcd does not answer in time
// where the engine was stopped for a moment, or its disk is slow. The limit is more than
// etcd gives two requests, which is seven seconds each.
func patient(task func(context.Context, func()) error) func(context.Context, func()) error {
	return supervise.Patient(20*time.Second, func(err error) bool {
		var status apierrors.APIStatus
		return errors.As(err, &status) && status.Status().Code >= http.StatusInternalServerError
	}, task)
}

// atOnce runs a component that nothing else waits for, so ready as it starts.
func atOnce(run func(context.Context) error) func(context.Context, func()) error {
	return func(ctx context.Context, ready func()) error {
		ready()
		return run(ctx)
	}
}

func newClient() (*kubernetes.Clientset, error) {
	config, err := clientConfig()
	if err != nil {
		return nil, err
	}
	return kubernetes.NewForConfig(config)
}

// jsonConfig is for kinds that are only known as JSON.
func jsonConfig() (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", controlplane.EngineKubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS = -1 // a thousand nodes are created in one go
	return config, nil
}

func clientConfig() (*rest.Config, error) {
	config, err := jsonConfig()
	if err != nil {
		return nil, err
	}
	config.ContentConfig = rest.ContentConfig{ContentType: "application/vnd.kubernetes.protobuf"}
	return config, nil
}
