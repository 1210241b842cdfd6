package controlplane

import (
	"context"

	"k8s.io/client-go/tools/cache"
	"k8s.io/kubernetes/cmd/kube-scheduler/app"
	"k8s.io/kubernetes/cmd/kube-scheduler/app/options"
)

func schedulerFlags() []string {
	return []string{
		"--kubeconfig=" + EngineKubeconfig,
		"--leader-elect=false",
		"--secure-port=0",
		unlimitedQPS,
		unlimitedBurst,
		"--profiling=false",
	}
}

// RunScheduler runs until ctx is cancelled. The API server must answer.
func RunScheduler(ctx context.Context) error {
	o := options.NewOptions()
	if err := parse("kube-scheduler", *o.Flags, schedulerFlags()); err != nil {
		return err
	}
	name, err := cache.NewInformerName("kube-scheduler")
	if err != nil {
		return err
	}
	o.InformerName = name
	config, scheduler, err := app.Setup(ctx, o)
	if err != nil {
		return err
	}
	return app.Run(ctx, config, scheduler)
}
