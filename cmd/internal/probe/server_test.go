package probe

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// apiServer is as much of one as the probe asks.
type apiServer struct {
	mu     sync.Mutex
	nodes  []corev1.Node
	dns    []discoveryv1.EndpointSlice
	broken int // how many requests are answered with an error, or not at all
	hangs  bool
	asked  int
}

// start returns the kubeconfig with which the server can be asked.
func (s *apiServer) start(t *testing.T) []byte {
	t.Helper()
	server := httptest.NewTLSServer(s)
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
	hangs := broken && s.hangs
	list := any(corev1.NodeList{TypeMeta: metav1.TypeMeta{Kind: "NodeList", APIVersion: "v1"}, Items: s.nodes})
	if strings.HasSuffix(r.URL.Path, "/endpointslices") {
		list = discoveryv1.EndpointSliceList{
			TypeMeta: metav1.TypeMeta{Kind: "EndpointSliceList", APIVersion: "discovery.k8s.io/v1"}, Items: s.dns,
		}
	}
	s.mu.Unlock()
	switch {
	case hangs:
		<-r.Context().Done() // until the client gives up
	case broken:
		http.Error(w, "etcd is not ready", http.StatusInternalServerError)
	case r.Header.Get("Authorization") != "Bearer secret":
		http.Error(w, "who are you?", http.StatusUnauthorized)
	default:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(list)
	}
}

// node returns one that is ready, or says why it is not.
func node(name string, controlPlane bool, unready string) corev1.Node {
	n := corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if controlPlane {
		n.Labels = map[string]string{"node-role.kubernetes.io/control-plane": ""}
	}
	condition := corev1.NodeCondition{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady"}
	if unready != "" {
		condition.Status, condition.Reason = corev1.ConditionFalse, unready
	}
	pressure := corev1.NodeCondition{Type: corev1.NodeDiskPressure, Status: corev1.ConditionTrue, Reason: "another matter"}
	n.Status.Conditions = []corev1.NodeCondition{condition, pressure}
	return n
}

// dns returns the addresses behind the Service kube-dns. nil means that the API server
// does not say whether one is ready.
func dns(ready ...*bool) []discoveryv1.EndpointSlice {
	slice := discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Name: "kube-dns-x", Namespace: "kube-system"}}
	for _, r := range ready {
		slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{
			Addresses: []string{"10.0.0.2"}, Conditions: discoveryv1.EndpointConditions{Ready: r},
		})
	}
	return []discoveryv1.EndpointSlice{slice}
}
