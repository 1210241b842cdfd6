package controlplane

import (
	"context"
	"net"

	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/client-go/tools/cache"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"

	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/dir"
	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/settings"
)

// egressConfig sends connections to the cluster network through the engine's proxy. Webhooks with a URL
// are not affected, because a URL names a server outside the cluster.
const egressConfig = `apiVersion: apiserver.k8s.io/v1beta1
kind: EgressSelectorConfiguration
egressSelections:
- name: cluster
  connection:
    proxyProtocol: HTTPConnect
    transport:
      uds:
        udsName: ` + dir.EgressSocket + `
`

const egressFile = "pki/egress.yaml"

// ServiceCIDR is the network of Services.
const ServiceCIDR = "10.96.0.0/16"

func apiServerFlags() []string {
	return []string{
		"--etcd-servers=unix://" + dir.EtcdSocket,
		"--bind-address=127.0.0.1",
		// Otherwise derived from the default route, which a laptop may not have.
		"--advertise-address=127.0.0.1",
		// Endpoints of the Service "kubernetes" must not be loopback addresses, and no pod needs them.
		"--endpoint-reconciler-type=none",
		"--egress-selector-config-file=" + egressFile,
		"--tls-cert-file=pki/apiserver.crt",
		"--tls-private-key-file=pki/apiserver.key",
		"--client-ca-file=pki/ca.crt",
		"--anonymous-auth=false",
		"--authorization-mode=Node,RBAC",
		"--allow-privileged=true",
		"--service-cluster-ip-range=" + ServiceCIDR,
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=pki/sa.key",
		"--service-account-signing-key-file=pki/sa.key",
		"--kubelet-certificate-authority=pki/ca.crt",
		"--kubelet-client-certificate=pki/engine.crt",
		"--kubelet-client-key=pki/engine.key",
		"--kubelet-preferred-address-types=InternalIP",
		"--profiling=false",
	}
}

// RunAPIServer serves on listener until ctx is cancelled. It also serves the simulated APIs in also.
func RunAPIServer(ctx context.Context, listener net.Listener, s settings.Settings, also Simulated) error {
	completed, err := completeAPIServer(ctx, listener, s)
	if err != nil {
		return err
	}
	return serve(ctx, completed, also)
}

// completeAPIServer returns the validated options of the API server.
func completeAPIServer(ctx context.Context, listener net.Listener, s settings.Settings) (options.CompletedOptions, error) {
	none := options.CompletedOptions{}
	args, err := arguments(settings.APIServer, apiServerFlags(), s)
	if err != nil {
		return none, err
	}
	if err := dir.WriteFile(egressFile, []byte(egressConfig)); err != nil {
		return none, err
	}
	o := options.NewServerRunOptions()
	if err := parse(settings.APIServer, o.Flags(), args); err != nil {
		return none, err
	}
	decorators := &o.Admission.GenericAdmission.Decorators
	*decorators = append(admission.Decorators{admission.DecoratorFunc(relaxWebhooks)}, *decorators...)
	o.SecureServing.Listener = listener
	o.SecureServing.BindPort = listener.Addr().(*net.TCPAddr).Port
	if o.InformerName, err = cache.NewInformerName(settings.APIServer); err != nil {
		return none, err
	}
	completed, err := o.Complete(ctx)
	if err != nil {
		return none, err
	}
	return completed, utilerrors.NewAggregate(completed.Validate())
}

// serve is app.Run without the hooks that create default objects.
func serve(ctx context.Context, o options.CompletedOptions, also Simulated) error {
	config, err := app.NewConfig(o)
	if err != nil {
		return err
	}
	disableHooks(config.KubeAPIs.ControlPlane.Generic.DisabledPostStartHooks)
	completed, err := config.Complete()
	if err != nil {
		return err
	}
	chain, err := app.CreateServerChain(completed)
	if err != nil {
		return err
	}
	if err := also.install(chain.GenericAPIServer); err != nil {
		return err
	}
	prepared, err := chain.PrepareRun()
	if err != nil {
		return err
	}
	return prepared.Run(ctx)
}
