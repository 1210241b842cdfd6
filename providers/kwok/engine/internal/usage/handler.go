package usage

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	api "k8s.io/metrics/pkg/apis/metrics/v1beta1"
	"sigs.k8s.io/kwok/pkg/client/clientset/versioned"
	"sigs.k8s.io/kwok/pkg/kwok/metrics"
)

// window is the measurement period that the API reports.
const window = 15 * time.Second

type server struct {
	client kubernetes.Interface
	kwok   versioned.Interface
	cel    func() (*metrics.Environment, error) // created when first needed, because it is large
}

// Handler handles requests below /apis/metrics.k8s.io. It does not authorize them; its caller must.
func Handler(client kubernetes.Interface, kwok versioned.Interface) http.Handler {
	s := server{client: client, kwok: kwok, cel: sync.OnceValues(func() (*metrics.Environment, error) {
		return metrics.NewEnvironment(metrics.EnvironmentConfig{Now: time.Now})
	})}
	const root = "GET /apis/metrics.k8s.io"
	mux := http.NewServeMux()
	mux.HandleFunc(root, answer(group))
	mux.HandleFunc(root+"/{$}", answer(group))
	mux.HandleFunc(root+"/v1beta1", answer(resources))
	mux.HandleFunc(root+"/v1beta1/nodes", answer(s.nodes))
	mux.HandleFunc(root+"/v1beta1/nodes/{name}", answer(s.node))
	mux.HandleFunc(root+"/v1beta1/pods", answer(s.pods))
	mux.HandleFunc(root+"/v1beta1/namespaces/{namespace}/pods", answer(s.pods))
	mux.HandleFunc(root+"/v1beta1/namespaces/{namespace}/pods/{name}", answer(s.pod))
	return mux
}

// answer writes the object that find returns, or the status of its error.
func answer(find func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		code := http.StatusOK
		object, err := find(r)
		if err != nil {
			var known apierrors.APIStatus
			if !errors.As(err, &known) {
				known = apierrors.NewInternalError(err)
			}
			status := known.Status()
			status.TypeMeta = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}
			object, code = status, int(status.Code)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		json.NewEncoder(w).Encode(object)
	}
}

func group(*http.Request) (any, error) {
	version := metav1.GroupVersionForDiscovery{GroupVersion: api.SchemeGroupVersion.String(), Version: api.SchemeGroupVersion.Version}
	return metav1.APIGroup{
		TypeMeta: metav1.TypeMeta{Kind: "APIGroup", APIVersion: "v1"}, Name: api.GroupName,
		Versions: []metav1.GroupVersionForDiscovery{version}, PreferredVersion: version,
	}, nil
}

func resources(*http.Request) (any, error) {
	verbs := metav1.Verbs{"get", "list"}
	return metav1.APIResourceList{
		TypeMeta:     metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"},
		GroupVersion: api.SchemeGroupVersion.String(),
		APIResources: []metav1.APIResource{
			{Name: "nodes", Kind: "NodeMetrics", Verbs: verbs},
			{Name: "pods", Kind: "PodMetrics", Namespaced: true, Verbs: verbs},
		},
	}, nil
}

// selected returns list options with the selectors of the request, for a list from the memory of the API
// server.
func selected(r *http.Request) metav1.ListOptions {
	q := r.URL.Query()
	return metav1.ListOptions{ResourceVersion: "0", LabelSelector: q.Get("labelSelector"), FieldSelector: q.Get("fieldSelector")}
}

func (s server) pods(r *http.Request) (any, error) {
	list := api.PodMetricsList{TypeMeta: typeMeta("PodMetricsList"), Items: []api.PodMetrics{}}
	pods, err := s.client.CoreV1().Pods(r.PathValue("namespace")).List(r.Context(), selected(r))
	if err != nil {
		return nil, err
	}
	rules, err := readRules(r.Context(), s.kwok, s.cel)
	if err != nil {
		return nil, err
	}
	for i := range pods.Items {
		if pod := &pods.Items[i]; pod.Status.Phase == corev1.PodRunning {
			usage, err := ofPod(r.Context(), rules, pod)
			if err != nil {
				return nil, err
			}
			list.Items = append(list.Items, usage)
		}
	}
	return list, nil
}

func (s server) pod(r *http.Request) (any, error) {
	pod, err := s.client.CoreV1().Pods(r.PathValue("namespace")).Get(r.Context(), r.PathValue("name"), metav1.GetOptions{ResourceVersion: "0"})
	if err != nil {
		return nil, err
	}
	if pod.Status.Phase != corev1.PodRunning {
		return nil, apierrors.NewNotFound(api.Resource("pods"), pod.Name)
	}
	rules, err := readRules(r.Context(), s.kwok, s.cel)
	if err != nil {
		return nil, err
	}
	usage, err := ofPod(r.Context(), rules, pod)
	usage.TypeMeta = typeMeta("PodMetrics")
	return usage, err
}

func ofPod(ctx context.Context, rules *rules, pod *corev1.Pod) (api.PodMetrics, error) {
	usage := api.PodMetrics{
		ObjectMeta: metav1.ObjectMeta{Name: pod.Name, Namespace: pod.Namespace, Labels: pod.Labels, CreationTimestamp: metav1.Now()},
		Timestamp:  metav1.Now(), Window: metav1.Duration{Duration: window},
	}
	for i := range pod.Spec.Containers {
		container := &pod.Spec.Containers[i]
		used, err := rules.of(ctx, pod, container)
		if err != nil {
			return usage, err
		}
		usage.Containers = append(usage.Containers, api.ContainerMetrics{Name: container.Name, Usage: used})
	}
	return usage, nil
}

func typeMeta(kind string) metav1.TypeMeta {
	return metav1.TypeMeta{Kind: kind, APIVersion: api.SchemeGroupVersion.String()}
}
