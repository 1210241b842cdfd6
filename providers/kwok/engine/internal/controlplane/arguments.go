package controlplane

import (
	"context"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apiserver/pkg/audit/policy"

	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/settings"
)

// arguments returns the flags of a component: the engine's own, those of the settings'
// files, and those that people wrote. It returns an error for one of the latter that
// the engine depends on, or that leads to a file or an address of the machine.
func arguments(component string, own []string, s settings.Settings) ([]string, error) {
	for _, arg := range s.Args[component] {
		name, _, _ := strings.Cut(strings.TrimPrefix(arg, "--"), "=")
		if err := refuse(name, own); err != nil {
			return nil, fmt.Errorf("%s: --%s %w", component, name, err)
		}
	}
	return slices.Concat(own, s.Own[component], s.Args[component]), nil
}

func refuse(name string, own []string) error {
	has := func(pattern string) bool { return regexp.MustCompile(pattern).MatchString(name) }
	sets := func(flag string) bool { return strings.HasPrefix(flag, "--"+name+"=") }
	switch {
	case has(`^(concurrent-|node-monitor-|kube-api-|audit-log-(max|format|mode|batch|truncate|version)|service-node-port-range$)`):
		return nil // the engine's values are no more than defaults
	case slices.ContainsFunc(own, sets):
		return fmt.Errorf("is set by the engine")
	case has(`(^|-)(address|addresses|port|networkinterface|master|etcd|leader|proxy)(-|$)`):
		return fmt.Errorf("is refused: the engine chooses what it listens on and talks to")
	case has(`(^|-)(file|files|filepath|dir|path|paths|socket|kubeconfig|cert|key|keys|cloud|encryption)(-|$)`),
		has(`^(config|write-config-to|service-account-signing-endpoint|(authentication|authorization|leader-migration)-config)$`):
		return fmt.Errorf("is refused: it names a file, and the engine uses none outside its directory")
	case has(`^(v|vmodule|log-.*|logging-.*|enable-logs-handler|emulated-version|min-compatibility-version)$`),
		has(`^(enable-hostpath-provisioner|enable-dynamic-provisioning|pvclaimbinder-sync-period|pv-recycler-.*)$`):
		return fmt.Errorf("is refused: it has no effect on the engine")
	}
	return nil
}

// Check returns an error, in the words of the component concerned, for settings with
// which a component would not start. It must be called at most once in a process, in a
// directory with keys in which the settings have been written.
func Check(ctx context.Context, s settings.Settings) error {
	if err := Prepare(s.FeatureGates); err != nil {
		return err
	}
	if s.Files[settings.AuditPolicyFile] != nil {
		if _, err := policy.LoadPolicyFromFile(settings.AuditPolicyFile); err != nil {
			return err
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer listener.Close()
	if _, err := completeAPIServer(ctx, listener, s); err != nil {
		return err
	}
	if _, err := managerOptions(s); err != nil {
		return err
	}
	return checkScheduler(s)
}
