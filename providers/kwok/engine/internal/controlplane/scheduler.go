package controlplane

import (
	"context"
	"fmt"

	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/cmd/kube-scheduler/app"
	"k8s.io/kubernetes/cmd/kube-scheduler/app/options"
	"k8s.io/kubernetes/pkg/scheduler/apis/config"
	"k8s.io/kubernetes/pkg/scheduler/apis/config/latest"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins"

	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/settings"
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
func RunScheduler(ctx context.Context, s settings.Settings) error {
	o, err := schedulerOptions(s)
	if err != nil {
		return err
	}
	name, err := cache.NewInformerName("kube-scheduler")
	if err != nil {
		return err
	}
	o.InformerName = name
	setup, scheduler, err := app.Setup(ctx, o)
	if err != nil {
		return err
	}
	return app.Run(ctx, setup, scheduler)
}

func schedulerOptions(s settings.Settings) (*options.Options, error) {
	args, err := arguments(settings.Scheduler, schedulerFlags(), s)
	if err != nil {
		return nil, err
	}
	o := options.NewOptions()
	return o, parse(settings.Scheduler, *o.Flags, args)
}

func checkScheduler(s settings.Settings) error {
	o, err := schedulerOptions(s)
	if err != nil {
		return err
	}
	if o.ComponentConfig, err = latest.Default(); err != nil {
		return err
	}
	if s.Files[settings.SchedulerFile] != nil {
		if o.ComponentConfig, err = options.LoadConfigFromFile(klog.Background(), settings.SchedulerFile); err != nil {
			return fmt.Errorf("%s: %w", settings.Scheduler, err)
		}
	}
	if err := utilerrors.NewAggregate(o.Validate()); err != nil {
		return fmt.Errorf("%s: %w", settings.Scheduler, err)
	}
	return checkPlugins(o.ComponentConfig.Profiles)
}

// checkPlugins returns an error for a plugin that the scheduler does not have. The validation of the
// scheduler does not check this; the scheduler would fail when it starts.
func checkPlugins(profiles []config.KubeSchedulerProfile) error {
	registry := plugins.NewInTreeRegistry()
	for _, profile := range profiles {
		if profile.Plugins == nil {
			continue
		}
		for _, name := range profile.Plugins.Names() {
			if _, ok := registry[name]; !ok && name != "*" {
				return fmt.Errorf("%s: profile %q: plugin %q does not exist", settings.Scheduler, profile.SchedulerName, name)
			}
		}
	}
	return nil
}
