package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func TestContained(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	c.serve()
	t.Run("listens on the loopback only", func(t *testing.T) { checkListeners(t, c.as(t)) })
	t.Run("kubelet answers", func(t *testing.T) { checkKubelet(t, c.as(t)) })
	t.Run("webhook of a service is refused", func(t *testing.T) { checkWebhook(t, c.as(t)) })
	t.Run("webhook at an URL is asked", func(t *testing.T) { checkWebhookURL(t, c.as(t)) })
	t.Run("aggregated API is refused", func(t *testing.T) { checkAggregated(t, c.as(t)) })
	t.Run("version", func(t *testing.T) {
		out, err := c.kubectl("version")
		if err != nil || strings.Count(out, "v1.37.2") != 2 {
			t.Errorf("%v: %s", err, out)
		}
	})
	c.stop()
}

// checkListeners reads which sockets of the engine wait for calls.
func checkListeners(t *testing.T, c *cluster) {
	mine := socketsOf(t, c.cmd.Process.Pid)
	found := 0
	for _, table := range []string{"tcp", "tcp6", "udp", "udp6"} {
		f, err := os.Open("/proc/net/" + table)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			field := strings.Fields(lines.Text())
			const listening, local, inode = "0A", 1, 9
			if field[0] == "sl" || !mine[field[inode]] || strings.HasPrefix(table, "tcp") && field[3] != listening {
				continue
			}
			found++
			if !strings.HasPrefix(field[local], "0100007F:") { // 127.0.0.1
				t.Errorf("%s socket at %s", table, field[local])
			}
		}
	}
	if found != 2 { // the API server and the kubelets
		t.Errorf("%d sockets listen", found)
	}
}

func socketsOf(t *testing.T, pid int) map[string]bool {
	t.Helper()
	fds := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(fds)
	if err != nil {
		t.Fatal(err)
	}
	sockets := map[string]bool{}
	for _, entry := range entries {
		target, _ := os.Readlink(fds + "/" + entry.Name())
		if inode, ok := strings.CutPrefix(target, "socket:["); ok {
			sockets[strings.TrimSuffix(inode, "]")] = true
		}
	}
	return sockets
}

func checkWebhook(t *testing.T, c *cluster) {
	client := c.client()
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "gate"},
		Spec: corev1.ServiceSpec{
			// It has endpoints: addresses that KWOK made up for pods that do not run.
			Selector: map[string]string{"app": "web"},
			Ports:    []corev1.ServicePort{{Port: 443, TargetPort: intstr.FromInt32(443)}},
		},
	}
	service, err := client.CoreV1().Services("default").Create(t.Context(), service, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	createHook(c, admissionv1.WebhookClientConfig{Service: &admissionv1.ServiceReference{Namespace: "default", Name: "gate"}}, "secrets")
	want := fmt.Sprintf("this cluster runs no pods, so nothing can answer at %s:443", service.Spec.ClusterIP)
	c.eventually(10*time.Second, func(ctx context.Context) error {
		begun := time.Now()
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{GenerateName: "s-"}}
		_, err := client.CoreV1().Secrets("default").Create(ctx, secret, metav1.CreateOptions{})
		if err == nil {
			return missing("the webhook is not asked yet")
		}
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %q, not %q", err, want)
		}
		if took := time.Since(begun); took > time.Second {
			t.Errorf("refused after %v", took)
		}
		return nil
	})
}

// An aggregated API that nobody serves must say so in its own status.
func checkAggregated(t *testing.T, c *cluster) {
	const manifest = `{"apiVersion":"apiregistration.k8s.io/v1","kind":"APIService","metadata":{"name":"v1.gate.example.org"},
		"spec":{"group":"gate.example.org","version":"v1","groupPriorityMinimum":1,"versionPriority":1,"insecureSkipTLSVerify":true,
		"service":{"namespace":"default","name":"gate"}}}`
	path := c.path("apiservice.json")
	if err := os.WriteFile(path, []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := c.kubectl("apply", "-f", path); err != nil {
		t.Fatal(out)
	}
	c.eventually(20*time.Second, func(context.Context) error {
		out, _ := c.kubectl("get", "apiservice", "v1.gate.example.org", "-o", "jsonpath={.status.conditions[0].message}")
		if !strings.Contains(out, "this cluster runs no pods, so nothing can answer at") {
			return missing("condition says %q", out)
		}
		return nil
	})
}

// KWOK's server answers for the kubelet: it has no logs, and says so itself.
func checkKubelet(t *testing.T, c *cluster) {
	c.deploy("web", 1)
	c.available(20*time.Second, "web", 1)
	tests := []struct {
		args []string
		want string
	}{
		{[]string{"logs", "deploy/web"}, "no logs found"},
		{[]string{"exec", "deploy/web", "--", "true"}, "no exec found"},
	}
	for _, test := range tests {
		if out, _ := c.kubectl(test.args...); !strings.Contains(out, test.want) {
			t.Errorf("%v said %s", test.args, out)
		}
	}
}
