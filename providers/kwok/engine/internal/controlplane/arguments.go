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

// arguments returns the flags of a component: those of the engine, those for the files of s, and those
// of the user. It returns an error for a flag of the user that the engine sets itself, or that names a
// file or an address of the machine.
func arguments(component string, own []string, s settings.Settings) ([]string, error) {
	for _, arg := range s.Args[component] {
		name, _, _ := strings.Cut(strings.TrimPrefix(arg, "--"), "=")
		if err := refuse(name, own); err != nil {
			return nil, fmt.Errorf("%s: --%s %w", component, name, err)
		}
	}
	return slices.Concat(own, s.Own[component], s.Args[component]), nil
}

// refuse returns an error if the user may not set the flag name. own are the flags of the engine.
func refuse(name string, own []string) error {
	has := func(pattern string) bool { return regexp.MustCompile(pattern).MatchString(name) }
	sets := func(flag string) bool { return strings.HasPrefix(flag, "--"+name+"=") }
	switch {
	case has(`^(concurrent-|node-monitor-|kube-api-|audit-log-(max|format|mode|batch|truncate|version)|service-node-port-range$)`):
		return nil // the values of the engine are only defaults
	case slices.ContainsFunc(own, sets):
		return fmt.Errorf("is set by the engine")
	case has(`(^|-)(address|addresses|port|networkinterface|master|etcd|leader|proxy)(-|$)`):
		return fmt.Errorf("is not allowed: the engine chooses its addresses and connections")
	case has(`(^|-)(file|files|filepath|dir|path|paths|socket|kubeconfig|cert|key|keys|cloud|encryption)(-|$)`),
		has(`^(config|write-config-to|service-account-signing-endpoint|(authentication|authorization|leader-migration)-config)$`):
		return fmt.Errorf("is not allowed: it names a file, and the engine uses no files outside its directory")
	case has(`^(v|vmodule|log-.*|logging-.*|enable-logs-handler|emulated-version|min-compatibility-version)$`),
		has(`^(enable-hostpath-provisioner|enable-dynamic-provisioning|pvclaimbinder-sync-period|pv-recycler-.*)$`):
		return fmt.Errorf("is not allowed: it has no effect on the engine")
	}
	return nil
}

// Check returns the error of the component that would not start with the settings s, if any. It must be
// called at most once per process. The working directory must contain the keys and the files of s.
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
