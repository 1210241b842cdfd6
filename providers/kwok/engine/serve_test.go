package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac/bootstrappolicy"

	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/dir"
	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/supervise"
)

func deployment(name string, replicas int32) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "example.org/web:v1"}}},
			},
		},
	}
}

func (c *cluster) deploy(name string, replicas int32) {
	c.t.Helper()
	if _, err := c.client().AppsV1().Deployments("default").Create(c.t.Context(), deployment(name, replicas), metav1.CreateOptions{}); err != nil {
		c.t.Fatal(err)
	}
}

// available waits until a deployment has so many pods that are ready.
func (c *cluster) available(within time.Duration, name string, replicas int32) {
	c.t.Helper()
	client := c.client()
	c.eventually(within, func(ctx context.Context) error {
		d, err := client.AppsV1().Deployments("default").Get(ctx, name, metav1.GetOptions{})
		if err == nil && d.Status.AvailableReplicas != replicas {
			err = missing("%d of %d available", d.Status.AvailableReplicas, replicas)
		}
		return err
	})
}

// One life of a cluster: everything that a user may do to the engine, in turn.
func TestLife(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 2)
	reported := c.serve()
	checkReport(t, reported)
	if s := c.status(); s.Phase != dir.Ready || s.PID != c.cmd.Process.Pid || !s.EverReady || s.KubernetesVersion != "v1.37.2" {
		t.Errorf("status is %+v", s)
	}
	checkNodes(c, "demo-control-plane", "demo-worker", "demo-worker2")
	checkDefaults(c)
	c.deploy("web", 3)
	c.available(20*time.Second, "web", 3)

	port := c.status().APIPort
	c.stop()
	if s := c.status(); s.Phase != dir.Stopped || !s.EverReady {
		t.Errorf("after the stop, status is %+v", s)
	}

	c.serve()
	if c.status().APIPort != port {
		t.Errorf("port was %d, is %d", port, c.status().APIPort)
	}
	c.available(20*time.Second, "web", 3)
	if err := c.client().CoreV1().Nodes().Delete(t.Context(), "demo-worker2", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	c.available(20*time.Second, "web", 3) // its pods move on
	c.kill()
	if s := c.status(); s.Phase != dir.Ready {
		t.Errorf("after the kill, status is %+v", s)
	}

	squatter, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	defer squatter.Close()
	c.serve()
	if c.status().APIPort == port {
		t.Errorf("serves at port %d, which is taken", port)
	}
	checkNodes(c, "demo-control-plane", "demo-worker", "demo-worker2") // a start brings back what was deleted
	c.deploy("more", 2)
	c.available(20*time.Second, "more", 2)
	c.stop()
}

func checkReport(t *testing.T, got []message) {
	t.Helper()
	for _, step := range []string{"Starting etcd", "Starting the API server", "Creating 3 nodes"} {
		started := slices.Index(got, message{Step: step, State: supervise.StateStarted})
		done := slices.Index(got, message{Step: step, State: supervise.StateDone})
		if started < 0 || done < started {
			t.Errorf("%s: started %d, done %d in %+v", step, started, done, got)
		}
	}
}

func checkNodes(c *cluster, want ...string) {
	c.t.Helper()
	list, err := c.client().CoreV1().Nodes().List(c.t.Context(), metav1.ListOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
	var names []string
	for _, node := range list.Items {
		names = append(names, node.Name)
		_, main := node.Labels["node-role.kubernetes.io/control-plane"]
		if main != strings.HasSuffix(node.Name, "control-plane") || node.Labels[corev1.LabelHostname] != node.Name {
			c.t.Errorf("labels of %s are %v", node.Name, node.Labels)
		}
		if len(node.Spec.Taints) > 0 {
			c.t.Errorf("%s has taints %v", node.Name, node.Spec.Taints)
		}
	}
	if diff := cmp.Diff(want, names); diff != "" {
		c.t.Errorf("nodes (-want +got)\n%s", diff)
	}
}

// checkDefaults looks for what a cluster starts with as soon as it is ready.
func checkDefaults(c *cluster) {
	c.t.Helper()
	there := map[string]bool{}
	roles, err := c.client().RbacV1().ClusterRoles().List(c.t.Context(), metav1.ListOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
	for _, role := range roles.Items {
		there[role.Name] = true
	}
	for _, role := range append(bootstrappolicy.ClusterRoles(), bootstrappolicy.ControllerRoles()...) {
		if !there[role.Name] {
			c.t.Errorf("no cluster role %s", role.Name)
		}
	}
	if _, err := c.client().SchedulingV1().PriorityClasses().Get(c.t.Context(), "system-node-critical", metav1.GetOptions{}); err != nil {
		c.t.Error(err)
	}
}

func TestSecondEngineLeavesAtOnce(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 0)
	c.serve()
	second := c.engine("serve", "--dir", c.dir)
	out, _ := second.CombinedOutput()
	if code := second.ProcessState.ExitCode(); code != exitLocked {
		t.Errorf("exit code %d, said %s", code, out)
	}
	if want := fmt.Sprintf("another engine runs this cluster: process %d", c.cmd.Process.Pid); !strings.Contains(string(out), want) {
		t.Errorf("said %q, not %q", out, want)
	}
	c.stop()
}

// TestRemovedDirectory: an engine whose directory is removed has nothing to save, and ends soon.
func TestRemovedDirectory(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 0)
	c.serve()
	c.eventually(5*time.Second, func(context.Context) error { return os.RemoveAll(c.dir) }) // the engine may create a file meanwhile
	ended := make(chan struct{})
	go func() {
		c.cmd.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Fatal("it still runs after 5 seconds")
	}
	if code := c.cmd.ProcessState.ExitCode(); code != exitFailed {
		t.Errorf("exit code %d, want %d", code, exitFailed)
	}
	c.cmd = nil
}

// Nothing that was acknowledged may be lost, whenever the engine is killed.
func TestKilledWhileWriting(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 0)
	var acknowledged []string
	for life := range 5 {
		c.serve()
		client := c.client().CoreV1().ConfigMaps("default")
		die := time.NewTimer(time.Duration(300+150*life) * time.Millisecond)
		dead := make(chan struct{})
		go func() {
			<-die.C
			c.cmd.Process.Kill()
			close(dead)
		}()
		for n := 0; ; n++ {
			name := fmt.Sprintf("note-%d-%d", life, n)
			if _, err := client.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
				break
			}
			acknowledged = append(acknowledged, name)
		}
		<-dead
		c.cmd.Wait()
	}
	c.serve()
	list, err := c.client().CoreV1().ConfigMaps("default").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, item := range list.Items {
		there[item.Name] = true
	}
	for _, name := range acknowledged {
		if !there[name] {
			t.Errorf("%s was acknowledged and is lost", name)
		}
	}
	t.Logf("%d objects acknowledged in 5 lives", len(acknowledged))
	if len(acknowledged) < 5 {
		t.Error("too few for a test")
	}
	c.stop()
}
