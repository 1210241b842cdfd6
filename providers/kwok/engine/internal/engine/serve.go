// Package engine runs a cluster: it lists the components, the order in which they start, and the
// conditions for a ready cluster.
package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"k8s.io/klog/v2"

	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/confine"
	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/controlplane"
	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/dir"
	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/egress"
	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/journal"
	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/memory"
	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/pki"
	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/settings"
	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/supervise"
)

// engine is a running cluster.
type engine struct {
	config   dir.Config
	settings settings.Settings
	status   dir.Status
	journal  *journal.Journal
	api      net.Listener
	egress   net.Listener
	routes   *routes
}

// Serve runs the cluster in the directory until ctx is cancelled, then shuts it down in order and returns
// nil. It reports each step, and calls ready once.
//
// It returns dir.ErrLocked if another engine runs in the directory. It returns dir.ErrRemoved when the
// directory is removed; the components still run then, and the caller must exit. It changes the working
// directory of the process to that of the cluster.
func Serve(ctx context.Context, directory string, report supervise.Report, ready func()) (err error) {
	config, err := dir.Enter(directory)
	if err != nil {
		return err
	}
	lock, err := dir.Lock()
	if err != nil {
		return err
	}
	defer lock.Close()

	code := memory.FindCode() // before the process is confined
	e := &engine{config: config, journal: journal.Open(dir.LogFile), routes: new(routes)}
	defer e.journal.Close()
	if err := errors.Join(e.journal.Kubernetes(), isolate()); err != nil {
		return err
	}
	if err := e.prepare(); err != nil {
		return err
	}
	memory.Hurry()
	ended, removed := make(chan error, 1), make(chan error, 1)
	go func() { ended <- e.run(ctx, report, ready, code) }()
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	go func() { removed <- dir.AwaitRemoval(watching, lock) }()
	select {
	case err := <-ended:
		return err
	case err := <-removed:
		return err // at once: nothing can be saved, and etcd retries for up to a minute
	}
}

// run runs the components until ctx is cancelled, and records the phases of the cluster.
func (e *engine) run(ctx context.Context, report supervise.Report, ready func(), code memory.Code) error {
	err := supervise.Run(ctx, e.components(), report, func() {
		go memory.Follow(ctx, code)
		e.status.Phase, e.status.EverReady = dir.Ready, true
		if dir.WriteStatus(e.status) == nil {
			ready()
		}
	})
	if err != nil {
		return err // the status stays unchanged, because this is not an orderly end
	}
	e.status.Phase = dir.Stopped
	return dir.WriteStatus(e.status)
}

// isolate confines the process to the working directory if the kernel can. It also clears the
// environment, because templates of KWOK's objects can read variables.
func isolate() error {
	directory, err := os.Getwd()
	if err != nil {
		return err
	}
	zone, zoned := os.LookupEnv("TZ")
	os.Clearenv()
	if zoned {
		os.Setenv("TZ", zone)
	}
	os.Setenv("TMPDIR", directory)
	abi, err := confine.ToWorkingDirectory()
	switch {
	case err != nil: // not fatal: the engine itself accesses no other files
		klog.Warningf("Cannot confine the engine to %s: %v", directory, err)
	case abi == 0:
		klog.Infof("The kernel has no Landlock, so the engine is not confined to %s", directory)
	default:
		klog.Infof("The engine is confined to %s by Landlock (ABI %d)", directory, abi)
	}
	return nil
}

// prepare creates the files and the listeners that the components need.
func (e *engine) prepare() error {
	var err error
	if e.settings, err = settings.Parse([]byte(e.config.Native)); err != nil {
		return err
	}
	if err := errors.Join(e.settings.Write(), controlplane.Prepare(e.settings.FeatureGates)); err != nil {
		return err
	}
	before, err := dir.ReadStatus()
	if err != nil {
		before = dir.Status{} // the data of the cluster is in etcd, so a damaged status is ignored
	}
	if e.api, err = listenAgain(before.APIPort); err != nil {
		return err
	}
	if e.egress, err = egress.Listen(dir.EgressSocket); err != nil {
		return err
	}
	if err := e.credentials(); err != nil {
		return err
	}
	e.status = dir.Status{
		Phase:             dir.Starting,
		PID:               os.Getpid(),
		APIPort:           e.api.Addr().(*net.TCPAddr).Port,
		KubernetesVersion: KubernetesVersion(),
		EverReady:         before.EverReady,
		StartedAt:         time.Now().UTC().Truncate(time.Second),
	}
	return dir.WriteStatus(e.status)
}

// listenAgain listens on the port of the last engine, so that copied kubeconfigs stay valid. If another
// program uses the port, it listens on another one.
func listenAgain(port int) (net.Listener, error) {
	if port != 0 {
		if l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			return l, nil
		}
	}
	return net.Listen("tcp", "127.0.0.1:0")
}

// credentials creates missing keys and writes the kubeconfigs.
func (e *engine) credentials() error {
	if err := ensureKeys(); err != nil {
		return err
	}
	server := "https://" + e.api.Addr().String()
	if err := pki.WriteKubeconfig(controlplane.EngineKubeconfig, "engine", server, dir.PKI, "engine"); err != nil {
		return err
	}
	context := fmt.Sprintf("kwok-%s", e.config.Name)
	return pki.WriteKubeconfig(dir.KubeconfigFile, context, server, dir.PKI, "admin")
}

func ensureKeys() error {
	masters := []string{"system:masters"}
	return pki.Ensure(dir.PKI,
		pki.Leaf{Name: "admin", User: "kubernetes-admin", Groups: masters},
		pki.Leaf{Name: "engine", User: "lab-engine", Groups: masters},
		pki.Leaf{Name: "apiserver", User: "kube-apiserver", IPs: []string{"127.0.0.1", "10.96.0.1"}, DNSNames: []string{
			"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
		}},
		pki.Leaf{Name: "kubelet", User: "kubelet", IPs: []string{"127.0.0.1"}},
	)
}
