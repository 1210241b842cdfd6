package controlplane

import (
	"context"
	"net/http"

	"k8s.io/kubernetes/cmd/kube-controller-manager/app"
	"k8s.io/kubernetes/cmd/kube-controller-manager/app/options"

	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/settings"
)

func controllerManagerFlags() []string {
	return []string{
		"--kubeconfig=" + EngineKubeconfig,
		"--leader-elect=false",
		"--secure-port=0",
		unlimitedQPS,
		unlimitedBurst,
		// Without the controllers for machines, networks and disks, which do not exist. Package volumes
		// runs the volume binder: with the plugins of the controller manager, it would delete the
		// directories of the machine that hostPath volumes name.
		"--controllers=*" +
			",-node-ipam-controller" +
			",-persistentvolume-attach-detach-controller" +
			",-persistentvolume-binder-controller" +
			",-persistentvolume-expander-controller" +
			",-ttl-controller",
		"--root-ca-file=pki/ca.crt",
		"--service-account-private-key-file=pki/sa.key",
		"--cluster-signing-cert-file=pki/ca.crt",
		"--cluster-signing-key-file=pki/ca.key",
		// Simulated nodes do not fail, and a laptop may sleep for hours.
		"--node-monitor-period=10m",
		"--node-monitor-grace-period=1h",
		"--concurrent-deployment-syncs=10",
		"--concurrent-replicaset-syncs=10",
		"--concurrent-statefulset-syncs=10",
		"--concurrent-job-syncs=10",
		"--concurrent-service-endpoint-syncs=10",
		"--concurrent-gc-syncs=30",
		"--profiling=false",
	}
}

// RunControllerManager runs until ctx is cancelled. The API server must accept requests, but need not be
// healthy yet.
func RunControllerManager(ctx context.Context, s settings.Settings) error {
	o, err := managerOptions(s)
	if err != nil {
		return err
	}
	config, err := o.Config(ctx, app.KnownControllers(), app.ControllersDisabledByDefault(), app.ControllerAliases())
	if err != nil {
		return err
	}
	config.Kubeconfig.Wrap(func(next http.RoundTripper) http.RoundTripper { return sayHealthy{next} })
	return app.Run(ctx, config.Complete())
}

// managerOptions returns the validated options of the controller manager.
func managerOptions(s settings.Settings) (*options.KubeControllerManagerOptions, error) {
	args, err := arguments(settings.ControllerManager, controllerManagerFlags(), s)
	if err != nil {
		return nil, err
	}
	o, err := options.NewKubeControllerManagerOptions()
	if err != nil {
		return nil, err
	}
	known, disabled, aliases := app.KnownControllers(), app.ControllersDisabledByDefault(), app.ControllerAliases()
	if err := parse(settings.ControllerManager, o.Flags(known, disabled, aliases), args); err != nil {
		return nil, err
	}
	return o, o.Validate(known, disabled, aliases)
}

// sayHealthy answers the health request that the controller manager repeats once a second until the API
// server is healthy. The engine starts the controller manager when that is known.
type sayHealthy struct{ next http.RoundTripper }

func (s sayHealthy) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.URL.Path != "/healthz" {
		return s.next.RoundTrip(request)
	}
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: request}, nil
}

// WrappedRoundTripper lets client-go find the underlying connection, to close it.
func (s sayHealthy) WrappedRoundTripper() http.RoundTripper { return s.next }
