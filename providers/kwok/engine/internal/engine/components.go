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

// grace is how long a component of Kubernetes may take to stop. A component that takes longer is
// abandoned; all acknowledged writes are on the disk.
const grace = time.Second

// components returns the components. Default roles are created only at the first start, so that a role
// that a user deletes stays deleted. Deleted nodes are created again at each start, as the kubelet of a
// machine does.
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

// creating returns the step for the creation of nodes, or "" after the first start.
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
	return nodes.Create(ctx, client, e.config.NodePrefix, e.config.ControlPlane, e.config.Workers, e.status.KubernetesVersion)
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

// unanswered returns a component that handles objects which need the answer of a pod.
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

// patient repeats a task while the API server returns server errors: etcd times out if the engine was
// suspended for a moment, or if the disk is slow. The limit is longer than two timeouts of etcd, which
// are seven seconds each.
func patient(task func(context.Context, func()) error) func(context.Context, func()) error {
	return supervise.Patient(20*time.Second, func(err error) bool {
		var status apierrors.APIStatus
		return errors.As(err, &status) && status.Status().Code >= http.StatusInternalServerError
	}, task)
}

// atOnce returns a component that is ready as soon as it starts, because no other waits for it.
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

// jsonConfig returns the client configuration for kinds that are available only as JSON.
func jsonConfig() (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", controlplane.EngineKubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS = -1 // no limit: a thousand nodes are created at once
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
