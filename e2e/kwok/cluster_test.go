//go:build e2e && unix

package kwok

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterlab-dev/lab/e2e/internal/session"
)

// server is an API server that a test connected to.
type server struct {
	address string
	client  kubernetes.Interface
}

// client returns a client of the cluster with the kubeconfig that `lab kubeconfig` prints.
func (p *user) client(name string) kubernetes.Interface {
	p.T.Helper()
	config, err := clientcmd.RESTConfigFromKubeConfig([]byte(p.Must("kubeconfig", name)))
	if err != nil {
		p.T.Fatal(err)
	}
	client := newClient(p.T, config)
	p.servers = append(p.servers, server{config.Host, client})
	return client
}

func newClient(t *testing.T, config *rest.Config) kubernetes.Interface {
	t.Helper()
	config.QPS = -1 // no rate limit in the client
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// directory returns the directory of the cluster's engine.
func (p *user) directory(name string) string {
	return filepath.Join(p.labHome, "state", "kwok", name)
}

// status is the content of the engine's status file; see PROTOCOL.md.
type status struct {
	Phase   string
	PID     int
	APIPort int
}

func (p *user) status(name string) (s status) {
	p.T.Helper()
	text, err := os.ReadFile(filepath.Join(p.directory(name), "status.json"))
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		p.T.Fatal(err)
	}
	return s
}

// kill kills the cluster's engine, as a crash would.
func (p *user) kill(name string) {
	p.T.Helper()
	p.signal(name, syscall.SIGKILL)
}

// signal sends a signal to the cluster's engine.
func (p *user) signal(name string, signal os.Signal) {
	p.T.Helper()
	pid := p.status(name).PID
	if _, mine := p.processes()[pid]; !mine {
		p.T.Errorf("process %d is not an engine of this test", pid)
		return
	}
	process, err := os.FindProcess(pid)
	if err == nil {
		err = process.Signal(signal)
	}
	if err != nil {
		p.T.Error(err)
	}
}

func deploy(t *testing.T, client kubernetes.Interface, name string, replicas int32) {
	t.Helper()
	labels := map[string]string{"app": name}
	d := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "web"}}},
			},
		},
	}
	if _, err := client.AppsV1().Deployments("default").Create(t.Context(), d, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// available waits until all replicas of a Deployment are available.
func available(t *testing.T, client kubernetes.Interface, name string, limit time.Duration) {
	t.Helper()
	session.Eventually(t, limit, func(ctx context.Context) error {
		d, err := client.AppsV1().Deployments("default").Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if d.Status.AvailableReplicas != *d.Spec.Replicas {
			return fmt.Errorf("%d of %d replicas of %s are available", d.Status.AvailableReplicas, *d.Spec.Replicas, name)
		}
		return nil
	})
}
