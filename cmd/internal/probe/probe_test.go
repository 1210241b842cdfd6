package probe

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterlab-dev/lab/providers/fault"
)

func TestNodes(t *testing.T) {
	t.Parallel()
	unheard := node("b-worker", false, "")
	unheard.Status.Conditions = nil
	s := &apiServer{nodes: []corev1.Node{
		unheard, node("a-worker", false, "KubeletNotReady"), node("z-control", true, ""), node("y-control", true, ""),
	}}
	report, err := API{}.Look(t.Context(), s.start(t), Want{})
	if err != nil {
		t.Fatal(err)
	}
	got := report.Nodes
	want := []Node{
		{Name: "y-control", Role: "control-plane", Ready: true},
		{Name: "z-control", Role: "control-plane", Ready: true},
		{Name: "a-worker", Role: "worker", Reason: "KubeletNotReady"},
		{Name: "b-worker", Role: "worker", Reason: "its kubelet has not reported yet"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestMissing checks what the error says after a timeout.
func TestMissing(t *testing.T) {
	t.Parallel()
	no := false
	ready := []corev1.Node{node("a", true, ""), node("b", false, "")}
	for what, tt := range map[string]struct {
		server *apiServer
		want   Want
		says   string
	}{
		"no node yet":      {&apiServer{}, Want{Nodes: 2}, "waiting for 2 of 2 nodes to register"},
		"one of two nodes": {&apiServer{nodes: ready[:1]}, Want{Nodes: 2}, "waiting for 1 of 2 nodes to register"},
		"not ready": {&apiServer{nodes: []corev1.Node{ready[0], node("c", false, "CNI not initialized")}}, Want{Nodes: 2},
			"waiting for node c to be ready (CNI not initialized)"},
		"a network that cannot come": {&apiServer{nodes: []corev1.Node{ready[0], node("c", false, "NetworkPluginNotReady")}, pods: []corev1.Pod{{
			ObjectMeta: metav1.ObjectMeta{Name: "cni-1"}, Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{
				Image: "cni:v9", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff"}},
			}}},
		}}}, Want{Nodes: 2}, "waiting for node c to be ready (pod cni-1 cannot pull the image cni:v9: ImagePullBackOff)"},
		"two not ready": {&apiServer{nodes: []corev1.Node{node("c", false, "x"), node("d", false, "y")}}, Want{Nodes: 2},
			"waiting for 2 nodes to be ready (c: x)"},
		"no DNS":          {&apiServer{nodes: ready}, Want{Nodes: 2, DNS: true}, "waiting for DNS to be ready"},
		"DNS not ready":   {&apiServer{nodes: ready, dns: dns(&no, &no)}, Want{Nodes: 2, DNS: true}, "waiting for DNS to be ready"},
		"an error always": {&apiServer{broken: 1 << 30}, Want{Nodes: 1}, "waiting for the API server to answer"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 600*time.Millisecond)
			defer cancel()
			var moved []string
			err := API{}.Wait(ctx, tt.server.start(t), tt.want, func(m string) { moved = append(moved, m) })
			if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v, want a timeout, %q", err, tt.says)
			}
			if !slices.ContainsFunc(moved, func(m string) bool { return strings.Contains(m, tt.says) }) {
				t.Errorf("progress %q, want %q", moved, tt.says)
			}
		})
	}
}

// TestPressure: if the pods of DNS cannot run, the error says why, and has a hint.
func TestPressure(t *testing.T) {
	t.Parallel()
	const taint = "0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/disk-pressure: }"
	const limit = "0 of 1 started: too many open files"
	dnsless := []corev1.Pod{unschedulable("coredns-1", taint+". preemption: none.")}
	for what, tt := range map[string]struct {
		node       corev1.Node
		pods       []corev1.Pod
		system     []corev1.Pod
		says, hint string
	}{
		"the disk is full":     {pressed("a", corev1.NodeDiskPressure), dnsless, nil, "no pod of kube-dns is ready: no node fits pod coredns-1: " + taint + ")", "docker system prune"},
		"no memory":            {pressed("a", corev1.NodeMemoryPressure), dnsless, nil, taint, "node a lacks memory (MemoryPressure)"},
		"another matter":       {node("a", true, ""), dnsless, nil, taint, ""},
		"the pods are unknown": {node("a", true, ""), nil, nil, "no pod of kube-dns is ready)", ""},
		"the node is at end":   {pressed("a", corev1.NodeDiskPressure), nil, nil, "no pod of kube-dns is ready)", "node a is almost full (DiskPressure)"},
		"the network fails":    {node("a", true, ""), nil, []corev1.Pod{crashing("kube-proxy-1", "DaemonSet", limit)}, "no pod of kube-dns is ready; container main of pod kube-proxy-1 cannot be created: " + limit + ")", "sudo sysctl fs.inotify"},
		"something else fails": {node("a", true, ""), nil, []corev1.Pod{crashing("job-1", "Job", limit)}, "no pod of kube-dns is ready)", ""},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 600*time.Millisecond)
			defer cancel()
			var moved []string
			s := &apiServer{nodes: []corev1.Node{tt.node}, pods: tt.pods, system: tt.system}
			err := API{}.Wait(ctx, s.start(t), Want{Nodes: 1, DNS: true}, func(m string) { moved = append(moved, m) })
			if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v, want %q", err, tt.says)
			}
			if hint := fault.HintOf(err); !strings.Contains(hint, tt.hint) || (hint == "") != (tt.hint == "") {
				t.Errorf("hint %q, want %q", hint, tt.hint)
			}
			if !strings.Contains(strings.Join(moved, "\n"), tt.says) {
				t.Errorf("progress %q, want %q", moved, tt.says)
			}
		})
	}
}

// TestWaitUntilReady: Wait follows a cluster that starts until it is ready.
func TestWaitUntilReady(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	s := &apiServer{broken: 2}
	stages := []func(*apiServer){
		func(s *apiServer) { s.nodes = []corev1.Node{node("a", true, "KubeletNotReady")} },
		func(s *apiServer) { s.nodes = []corev1.Node{node("a", true, "")} },
		func(s *apiServer) { s.dns = dns(&no) },
		func(s *apiServer) { s.dns = dns(&no, &yes) },
	}
	last, news := "", 0
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err := API{}.Wait(ctx, s.start(t), Want{Nodes: 1, DNS: true}, func(m string) {
		if strings.Contains(m, "to answer") {
			return
		}
		if m != last {
			news++
		}
		last = m
		s.change(stages[0])
		if len(stages) > 1 {
			stages = stages[1:]
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if news < 3 {
		t.Errorf("%d news only", news)
	}
}

// TestSince: reports from before a restart do not count.
func TestSince(t *testing.T) {
	t.Parallel()
	yes := true
	began := time.Now().Add(-time.Minute)
	before, after := began.Add(-time.Hour), began.Add(time.Second)
	since := map[string]time.Time{"a": began, "a-balancer": time.Now()}
	ready := []corev1.Node{node("a", true, ""), node("b", false, "")}
	for what, tt := range map[string]struct {
		lease, pod time.Time
		but        func(*corev1.PodStatus)
		says       string // "" where it is ready
	}{
		"a node that did not come back":  {before, after, nil, "waiting for node a to report again"},
		"a pod that died with the node":  {after, before, nil, "waiting for DNS to run again"},
		"a pod that has just begun":      {after, after, func(s *corev1.PodStatus) { s.ContainerStatuses[0].Ready = false }, "waiting for DNS to run again"},
		"a pod that is thought lost":     {after, after, func(s *corev1.PodStatus) { s.Conditions[0].Status = corev1.ConditionFalse }, "waiting for DNS to run again"},
		"a pod that is elsewhere by now": {after, after, func(s *corev1.PodStatus) { s.PodIPs[0].IP = "10.0.0.3" }, "waiting for DNS to run again"},
		"all that is needed":             {after, after, nil, ""},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := &apiServer{nodes: ready, dns: dns(&yes), leases: []coordinationv1.Lease{lease("a", tt.lease), lease("b", before)}, pod: podSince("a", tt.pod)}
			if tt.but != nil {
				tt.but(&s.pod.Status)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 600*time.Millisecond)
			defer cancel()
			err := API{}.Wait(ctx, s.start(t), Want{Nodes: 2, DNS: true, Since: since}, nil)
			if (err == nil) != (tt.says == "") || err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v, want %q", err, tt.says)
			}
		})
	}
}

// TestReadyUnsaid: an address without a condition is ready.
func TestReadyUnsaid(t *testing.T) {
	t.Parallel()
	s := &apiServer{nodes: []corev1.Node{node("a", true, "")}, dns: dns(nil)}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := (API{}).Wait(ctx, s.start(t), Want{Nodes: 1, DNS: true}, nil); err != nil {
		t.Error(err)
	}
}

// TestHangingRequest: a request that is never answered does not end the wait.
func TestHangingRequest(t *testing.T) {
	t.Parallel()
	s := &apiServer{nodes: []corev1.Node{node("a", true, "")}, broken: 1, hangs: true}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err := API{patience: 300 * time.Millisecond}.Wait(ctx, s.start(t), Want{Nodes: 1}, nil)
	if err != nil {
		t.Error(err)
	}
}

// TestHangingServer: a server that never answers does not keep Wait beyond its context.
func TestHangingServer(t *testing.T) {
	t.Parallel()
	s := &apiServer{broken: 1 << 30, hangs: true}
	config := s.start(t)
	ctx, cancel := context.WithCancel(t.Context())
	timer := time.AfterFunc(200*time.Millisecond, cancel)
	defer timer.Stop()
	if err := (API{}).Wait(ctx, config, Want{Nodes: 1}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	if _, err := (API{patience: 100 * time.Millisecond}).Look(t.Context(), config, Want{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("nodes: %v", err)
	}
}

func TestBadKubeconfig(t *testing.T) {
	t.Parallel()
	err := API{}.Wait(t.Context(), []byte("{"), Want{}, nil)
	if err == nil || !strings.Contains(err.Error(), "read the cluster's kubeconfig") {
		t.Errorf("%v", err)
	}
}
