package helm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"k8s.io/client-go/kubernetes/scheme"
)

// apiServer stores objects as they are written, and lets each job and pod succeed at once.
type apiServer struct {
	mu      sync.Mutex
	objects map[string]map[string]any // by resource, namespace and name
	written map[string]map[string]any // likewise, including deleted ones
	count   int
	broken  string // a group and version that an aggregated API server does not answer for; "" for none
}

// newAPIServer returns a server and its kubeconfig.
func newAPIServer(t *testing.T) (*apiServer, []byte) {
	t.Helper()
	s := &apiServer{objects: map[string]map[string]any{}, written: map[string]map[string]any{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections) // of watches
	s.objects["v1/secrets/parity/any"] = map[string]any{"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": "any", "namespace": "parity"}}
	return s, fmt.Appendf(nil, `{apiVersion: v1, kind: Config, current-context: x,
clusters: [{name: x, cluster: {server: %q}}], users: [{name: x}], contexts: [{name: x, context: {cluster: x, user: x, namespace: parity}}]}`, server.URL)
}

// served are the resources of the server, by group and version: those without a namespace
// have a full stop before their name.
func served() map[string]map[string]string {
	return map[string]map[string]string{
		"v1":                              {".namespaces": "Namespace", "configmaps": "ConfigMap", "secrets": "Secret", "serviceaccounts": "ServiceAccount", "pods": "Pod"},
		"apps/v1":                         {"deployments": "Deployment"},
		"rbac.authorization.k8s.io/v1":    {".clusterroles": "ClusterRole"},
		"apiregistration.k8s.io/v1":       {".apiservices": "APIService"},
		"batch/v1":                        {"jobs": "Job"},
		"apiextensions.k8s.io/v1":         {".customresourcedefinitions": "CustomResourceDefinition"},
		"admissionregistration.k8s.io/v1": {".validatingwebhookconfigurations": "ValidatingWebhookConfiguration"},
		"example.org/v1":                  {"things": "Thing", ".others": "Other"},
	}
}

func (s *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case r.URL.Path == "/version":
		answer(w, 200, map[string]any{"major": "1", "minor": "37", "gitVersion": "v1.37.2"})
	case r.URL.Path == "/api":
		answer(w, 200, map[string]any{"kind": "APIVersions", "versions": []string{"v1"}})
	case r.URL.Path == "/apis":
		var groups []any
		for _, gv := range append(slices.Sorted(maps.Keys(served())), s.broken) {
			if group, version, ok := strings.Cut(gv, "/"); ok {
				v := map[string]any{"groupVersion": gv, "version": version}
				groups = append(groups, map[string]any{"name": group, "versions": []any{v}, "preferredVersion": v})
			}
		}
		answer(w, 200, map[string]any{"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
	case path[0] == "api" && len(path) > 2:
		s.serve(w, r, "v1", path[2:])
	case path[0] == "apis" && len(path) > 3:
		s.serve(w, r, path[1]+"/"+path[2], path[3:])
	case s.broken != "" && strings.Join(path[1:], "/") == s.broken:
		fail(w, 503, "ServiceUnavailable")
	default:
		describe(w, strings.Join(path[1:], "/"))
	}
}

func describe(w http.ResponseWriter, gv string) {
	var all []any
	for name, kind := range served()[gv] {
		plain, cluster := strings.CutPrefix(name, ".")
		all = append(all, map[string]any{"name": plain, "kind": kind, "namespaced": !cluster, "verbs": []string{"create", "delete", "get", "list", "patch", "update", "watch"}})
	}
	if all == nil {
		fail(w, 404, "NotFound")
		return
	}
	answer(w, 200, map[string]any{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": gv, "resources": all})
}

// serve handles a request for objects of a group and version.
func (s *apiServer) serve(w http.ResponseWriter, r *http.Request, gv string, rest []string) {
	namespace := ""
	if rest[0] == "namespaces" && len(rest) > 2 {
		namespace, rest = rest[1], rest[2:]
	}
	prefix := gv + "/" + rest[0] + "/" + namespace
	key := prefix + "/"
	if len(rest) > 1 {
		key += rest[1]
	}
	if r.URL.Query().Get("watch") != "" {
		s.watch(w, r, prefix)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	object, there := s.objects[key]
	switch {
	case r.Method == http.MethodGet && len(rest) == 1:
		answer(w, 200, map[string]any{"kind": s.kind(gv, rest[0]) + "List", "apiVersion": gv, "metadata": map[string]any{"resourceVersion": "1"}, "items": s.list(r, prefix)})
	case r.Method == http.MethodPost, r.Method == http.MethodPatch, r.Method == http.MethodPut:
		s.write(w, r, key, namespace)
	case !there:
		fail(w, 404, "NotFound")
	case r.Method == http.MethodDelete:
		if metadata := object["metadata"].(map[string]any); metadata["finalizers"] != nil {
			metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
			answer(w, 200, object)
			return
		}
		delete(s.objects, key)
		answer(w, 200, map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Success"})
	default:
		answer(w, 200, object)
	}
}

func (s *apiServer) kind(gv, resource string) string {
	all := served()[gv]
	if kind := all[resource]; kind != "" {
		return kind
	}
	return all["."+resource]
}

// list returns the objects that a request selects.
func (s *apiServer) list(r *http.Request, prefix string) []any {
	all := []any{}
	for key, object := range s.objects {
		metadata := object["metadata"].(map[string]any)
		labels, _ := metadata["labels"].(map[string]any)
		matches := strings.HasPrefix(key, strings.TrimSuffix(prefix, "/")+"/")
		for _, want := range strings.FieldsFunc(r.URL.Query().Get("labelSelector"), func(c rune) bool { return c == ',' }) {
			label, value, _ := strings.Cut(want, "=")
			matches = matches && labels[label] == value
		}
		if name, only := strings.CutPrefix(r.URL.Query().Get("fieldSelector"), "metadata.name="); only {
			matches = matches && metadata["name"] == name
		}
		if matches {
			all = append(all, object)
		}
	}
	return all
}

func (s *apiServer) write(w http.ResponseWriter, r *http.Request, key, namespace string) {
	var object map[string]any
	text, err := io.ReadAll(r.Body)
	if err == nil && strings.Contains(r.Header.Get("Content-Type"), "protobuf") {
		text, err = fromProtobuf(text)
	}
	if err == nil {
		numbers := json.NewDecoder(bytes.NewReader(text))
		numbers.UseNumber() // as they were sent
		err = numbers.Decode(&object)
	}
	metadata, ok := object["metadata"].(map[string]any)
	if err != nil || !ok {
		fail(w, 400, "BadRequest")
		return
	}
	if strings.HasSuffix(key, "/") {
		key += metadata["name"].(string)
	}
	if _, there := s.objects[key]; there && r.Method == http.MethodPost {
		fail(w, 409, "AlreadyExists")
		return
	}
	if namespace != "" {
		metadata["namespace"] = namespace
	}
	s.written[key] = maps.Clone(object)
	s.written[key]["metadata"] = maps.Clone(metadata)
	s.count++
	metadata["resourceVersion"] = fmt.Sprint(s.count)
	done := func(kind string) any { return map[string]any{"type": kind, "status": "True"} }
	switch object["kind"] {
	case "CustomResourceDefinition":
		object["status"] = map[string]any{"conditions": []any{done("NamesAccepted"), done("Established")}}
	case "Job":
		object["status"] = map[string]any{"succeeded": 1, "conditions": []any{done("SuccessCriteriaMet"), done("Complete")}}
	case "Pod":
		object["status"] = map[string]any{"phase": "Succeeded"}
	}
	s.objects[key] = object
	answer(w, 201, object)
}

// fromProtobuf converts objects of Kubernetes' own kinds to JSON.
func fromProtobuf(data []byte) ([]byte, error) {
	object, kind, err := scheme.Codecs.UniversalDeserializer().Decode(data, nil, nil)
	if err != nil {
		return nil, err
	}
	object.GetObjectKind().SetGroupVersionKind(*kind)
	return json.Marshal(object)
}

// watch sends the existing objects, and nothing more.
func (s *apiServer) watch(w http.ResponseWriter, r *http.Request, prefix string) {
	if r.URL.Query().Get("sendInitialEvents") != "" {
		fail(w, 422, "Invalid")
		return
	}
	s.mu.Lock()
	all := s.list(r, prefix)
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	for _, object := range all {
		_ = json.NewEncoder(w).Encode(map[string]any{"type": "MODIFIED", "object": object})
	}
	w.(http.Flusher).Flush()
	<-r.Context().Done()
}

func answer(w http.ResponseWriter, status int, object any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(object)
}

func fail(w http.ResponseWriter, status int, reason string) {
	answer(w, status, map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": status, "message": reason})
}
