package probe

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"path"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// apiServer serves the requests of the probe.
type apiServer struct {
	mu     sync.Mutex
	nodes  []corev1.Node
	dns    []discoveryv1.EndpointSlice
	leases []coordinationv1.Lease
	pod    corev1.Pod // behind the addresses of dns
	pods   []corev1.Pod
	system []corev1.Pod // of kube-system, without pods
	broken int          // how many requests are answered with an error, or not at all
	hangs  bool
	asked  int

	unknown bool // nothing is found
	coredns bool // a Deployment serves kube-dns
}

// start starts the server, and returns a kubeconfig for it.
func (s *apiServer) start(t *testing.T) []byte {
	t.Helper()
	server := httptest.NewUnstartedServer(s)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // clients that are refused on purpose
	server.StartTLS()
	t.Cleanup(server.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	return fmt.Appendf(nil, `
apiVersion: v1
kind: Config
current-context: test
clusters: [{name: test, cluster: {server: %q, certificate-authority-data: %s}}]
contexts: [{name: test, context: {cluster: test, user: test}}]
users: [{name: test, user: {token: secret}}]
`, server.URL, base64.StdEncoding.EncodeToString(ca))
}

func (s *apiServer) change(f func(*apiServer)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s)
}

func (s *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked++
	broken := s.asked <= s.broken
	hangs, unknown := broken && s.hangs, s.unknown
	answer := s.answer(path.Base(r.URL.Path), r.URL.Query().Get("labelSelector")+r.URL.Query().Get("fieldSelector"))
	s.mu.Unlock()
	switch {
	case hangs:
		<-r.Context().Done() // until the client gives up
	case broken:
		http.Error(w, "etcd is not ready", http.StatusInternalServerError)
	case unknown:
		http.NotFound(w, r)
	case r.Header.Get("Authorization") != "Bearer secret":
		http.Error(w, "who are you?", http.StatusUnauthorized)
	default:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer)
	}
}

func (s *apiServer) answer(resource, selector string) any {
	is := func(kind, version string) metav1.TypeMeta { return metav1.TypeMeta{Kind: kind, APIVersion: version} }
	switch resource {
	case "deployments":
		list := appsv1.DeploymentList{TypeMeta: is("DeploymentList", "apps/v1")}
		if s.coredns && selector == "k8s-app=kube-dns" {
			list.Items = make([]appsv1.Deployment, 1)
		}
		return list
	case "daemonsets":
		return appsv1.DaemonSetList{TypeMeta: is("DaemonSetList", "apps/v1")}
	case "endpointslices":
		return discoveryv1.EndpointSliceList{TypeMeta: is("EndpointSliceList", "discovery.k8s.io/v1"), Items: s.dns}
	case "leases":
		return coordinationv1.LeaseList{TypeMeta: is("LeaseList", "coordination.k8s.io/v1"), Items: s.leases}
	case "kube-dns":
		return corev1.Service{TypeMeta: is("Service", "v1"), Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "dns"}}}
	case "pods":
		list := corev1.PodList{TypeMeta: is("PodList", "v1")}
		switch selector {
		case "app=dns", "spec.nodeName=c":
			list.Items = s.pods
		case "": // of kube-system
			list.Items = s.system
		}
		return list
	case "dns-pod":
		pod := s.pod
		pod.TypeMeta = is("Pod", "v1")
		return pod
	}
	return corev1.NodeList{TypeMeta: is("NodeList", "v1"), Items: s.nodes}
}

// lease returns the lease of a node that was renewed at a time.
func lease(node string, renewed time.Time) coordinationv1.Lease {
	return coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: node}, Spec: coordinationv1.LeaseSpec{RenewTime: &metav1.MicroTime{Time: renewed}},
	}
}

// podSince returns a pod whose container started at a time.
func podSince(node string, began time.Time) corev1.Pod {
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Time{Time: began}}}
	return corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "dns-pod", Namespace: "kube-system"}, Spec: corev1.PodSpec{NodeName: node},
		Status: corev1.PodStatus{
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}, PodIPs: []corev1.PodIP{{IP: "10.0.0.2"}},
			ContainerStatuses: []corev1.ContainerStatus{{State: running, Ready: true}},
		},
	}
}

// node returns a node that is ready, or not ready with a reason.
func node(name string, controlPlane bool, unready string) corev1.Node {
	n := corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if controlPlane {
		n.Labels = map[string]string{"node-role.kubernetes.io/control-plane": ""}
	}
	condition := corev1.NodeCondition{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady"}
	if unready != "" {
		condition.Status, condition.Reason = corev1.ConditionFalse, unready
	}
	other := corev1.NodeCondition{Type: corev1.NodePIDPressure, Status: corev1.ConditionTrue, Reason: "another matter"}
	n.Status.Conditions = []corev1.NodeCondition{condition, other}
	return n
}

// pressed returns a ready node that lacks a resource.
func pressed(name string, what corev1.NodeConditionType) corev1.Node {
	n := node(name, true, "")
	n.Status.Conditions = append(n.Status.Conditions, corev1.NodeCondition{Type: what, Status: corev1.ConditionTrue})
	return n
}

// unschedulable returns a pod that no node accepts.
func unschedulable(name, why string) corev1.Pod {
	return corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "kube-system"},
		Status: corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{
			{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Message: why}}},
	}
}

// crashing returns a pod of a controller of the kind, with a container that cannot be created.
func crashing(name, controller, why string) corev1.Pod {
	yes := true
	waiting := &corev1.ContainerStateWaiting{Reason: "CreateContainerError", Message: why}
	return corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "kube-system", OwnerReferences: []metav1.OwnerReference{{Kind: controller, Controller: &yes}}},
		Status: corev1.PodStatus{Phase: corev1.PodPending, ContainerStatuses: []corev1.ContainerStatus{
			{Name: "main", State: corev1.ContainerState{Waiting: waiting}}}},
	}
}

// dns returns the addresses of the Service kube-dns. nil is an address without the condition ready.
func dns(ready ...*bool) []discoveryv1.EndpointSlice {
	slice := discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Name: "kube-dns-x", Namespace: "kube-system"}}
	for _, r := range ready {
		slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{
			Addresses: []string{"10.0.0.2"}, Conditions: discoveryv1.EndpointConditions{Ready: r},
			TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: "kube-system", Name: "dns-pod"},
		})
	}
	return []discoveryv1.EndpointSlice{slice}
}
