package controlplane

import (
	"context"

	"k8s.io/kubernetes/cmd/kube-controller-manager/app"
	"k8s.io/kubernetes/cmd/kube-controller-manager/app/options"
)

func controllerManagerFlags() []string {
	return []string{
		"--kubeconfig=" + EngineKubeconfig,
		"--leader-elect=false",
		"--secure-port=0",
		unlimitedQPS,
		unlimitedBurst,
		// Left out is what looks after machines, networks and disks that are not there.
		"--controllers=*" +
			",-node-ipam-controller" +
			",-persistentvolume-attach-detach-controller" +
			",-persistentvolume-expander-controller" +
			",-ttl-controller",
		"--root-ca-file=pki/ca.crt",
		"--service-account-private-key-file=pki/sa.key",
		"--cluster-signing-cert-file=pki/ca.crt",
		"--cluster-signing-key-file=pki/ca.key",
		// Nodes here do not fail by themselves, and a laptop may sleep for hours.
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

// RunControllerManager runs until ctx is cancelled. The API server must answer.
func RunControllerManager(ctx context.Context) error {
	o, err := options.NewKubeControllerManagerOptions()
	if err != nil {
		return err
	}
	known, disabled, aliases := app.KnownControllers(), app.ControllersDisabledByDefault(), app.ControllerAliases()
	if err := parse("kube-controller-manager", o.Flags(known, disabled, aliases), controllerManagerFlags()); err != nil {
		return err
	}
	config, err := o.Config(ctx, known, disabled, aliases)
	if err != nil {
		return err
	}
	return app.Run(ctx, config.Complete())
}
