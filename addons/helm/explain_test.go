package helm

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// discoveryServer serves the groups policy/v1 and example.org/v1, as Kubernetes v1.37.2.
func discoveryServer(t *testing.T) *session {
	t.Helper()
	group := func(name string) metav1.APIGroup {
		return metav1.APIGroup{Name: name, Versions: []metav1.GroupVersionForDiscovery{{GroupVersion: name + "/v1", Version: "v1"}}}
	}
	answers := map[string]any{
		"/version": version.Info{GitVersion: "v1.37.2"},
		"/api":     metav1.APIVersions{Versions: []string{"v1"}},
		"/apis":    metav1.APIGroupList{Groups: []metav1.APIGroup{group("policy"), group("example.org")}},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answers[r.URL.Path])
	}))
	t.Cleanup(server.Close)
	typed, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	return &session{typed: typed, client: &client{release: types.NamespacedName{Namespace: "shop", Name: "web"}}}
}

// TestExplain: errors of Helm get a hint.
func TestExplain(t *testing.T) {
	t.Parallel()
	s := discoveryServer(t)
	unserved := func(kind, version string) string {
		return `unable to build kubernetes objects from release manifest: resource mapping not found for name: "web" namespace: "" from "": ` +
			`no matches for kind "` + kind + `" in version "` + version + `"` + "\nensure CRDs are installed first"
	}
	for _, test := range []struct{ text, want, hint string }{
		{unserved("PodDisruptionBudget", "policy/v1beta1"),
			"policy/v1beta1 is not served by Kubernetes v1.37.2: the chart uses it for PodDisruptionBudget; the cluster serves policy/v1", "version of the chart"},
		{unserved("Ingress", "extensions/v1beta1"), "extensions/v1beta1 is not served by Kubernetes v1.37.2: the chart uses it for Ingress", "--kubernetes-version"},
		{unserved("Shop", "example.org/v1beta1"), "example.org/v1beta1 is not served: the chart uses it for Shop; the cluster serves example.org/v1", "definition that match"},
		{unserved("Gateway", "gateway.networking.k8s.io/v1"), "there is no custom resource definition for Gateway", "needs"},
		{"chart requires kubeVersion: >=1.40 which is incompatible with Kubernetes v1.37.2", "chart requires kubeVersion", "--kubernetes-version"},
		{`Unable to continue with install: Namespace "shop" in namespace "" exists and cannot be imported into the current release: invalid ownership metadata`,
			`Namespace "shop"`, "remove the Namespace from the chart"},
		{`Unable to continue with install: ConfigMap "settings" in namespace "shop" exists and cannot be imported into the current release: invalid ownership metadata`,
			`ConfigMap "settings"`, "delete it"},
		{`create: failed to create: Secret "sh.helm.release.v1.huge.v1" is invalid: data: Too long: may not be more than 1048576 bytes`, "Too long", ".helmignore"},
		{"1 error occurred:\n\t* jobs.batch \"migrate\" already exists\n\n", "already exists", "kubectl delete jobs.batch migrate --namespace shop"},
		{"values don't meet the specifications of the schema(s) in the following chart(s):\nshop:\n- at '/replicas': got string, want integer", "/replicas", "--set"},
	} {
		err := s.explain(t.Context(), errors.New(test.text))
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "ensure CRDs") || !strings.Contains(fault.HintOf(err), test.hint) {
			t.Errorf("%s:\ngot  %v (hint %q)\nwant %s (hint %q)", test.text, err, fault.HintOf(err), test.want, test.hint)
		}
	}
	twice := s.explain(t.Context(), errors.New(unserved("A", "policy/v1beta1")+unserved("B", "other.org/v1")+unserved("A", "policy/v1beta1")))
	if lines := strings.Split(twice.Error(), "\n"); len(lines) != 2 || !strings.Contains(fault.HintOf(twice), "needs") {
		t.Errorf("%v (hint %q)", twice, fault.HintOf(twice))
	}
}
