package helm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"helm.sh/helm/v3/pkg/kube"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/resource"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// hookServer is an API server that sends the events of one hook, and then nothing more.
type hookServer struct {
	events []string // of the first watch, the second, …: "TYPE status"
	object string   // the status of the object; "" if it does not exist
	pods   string   // the items of a list of pods
	watch  atomic.Int32
}

func (s *hookServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	switch {
	case r.URL.Query().Get("watch") != "":
		n := int(s.watch.Add(1)) - 1
		w.WriteHeader(http.StatusOK)
		if n < len(s.events) {
			for i, event := range strings.Split(s.events[n], "\n") {
				kind, status, _ := strings.Cut(event, " ")
				object := s.body(r.URL.Path, status, 10*n+i+2)
				if kind == "ERROR" {
					object = status
				}
				_, _ = fmt.Fprintf(w, `{"type":%q,"object":%s}`+"\n", kind, object)
			}
		}
		w.(http.Flusher).Flush()
		if n+1 >= len(s.events) {
			<-r.Context().Done()
		}
	case strings.HasSuffix(r.URL.Path, "/pods"):
		_, _ = io.WriteString(w, `{"apiVersion":"v1","kind":"PodList","items":[`+s.pods+`]}`)
	case s.object != "" && !strings.HasSuffix(r.URL.Path, "/log"):
		_, _ = io.WriteString(w, s.body(r.URL.Path, s.object, 100))
	default:
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}`)
	}
}

func (s *hookServer) body(path, status string, version int) string {
	kind := `"apiVersion":"batch/v1","kind":"Job"`
	if strings.HasPrefix(path, "/api/v1/") {
		kind = `"apiVersion":"v1","kind":"Pod"`
	}
	return fmt.Sprintf(`{%s,"metadata":{"name":"migrate","namespace":"shop","resourceVersion":"%d"},"status":%s}`, kind, version, status)
}

const (
	jobComplete = `{"conditions":[{"type":"SuccessCriteriaMet","status":"True"},{"type":"Complete","status":"True"}]}`
	atWork      = `{"active":1,"conditions":[{"type":"Suspended","status":"False"}]}`
	jobFailed   = `{"conditions":[{"type":"Failed","status":"True","reason":"BackoffLimitExceeded","message":"no luck"}]}`
	tooOld      = `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Expired","message":"too old","code":410}`
)

// watchHook lets a client wait for a hook of the kind on a server.
func watchHook(ctx context.Context, t *testing.T, s *hookServer, kind schema.GroupVersionKind) error {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	typed, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	c := &client{ctx: ctx, typed: typed, unbound: typed}
	info := &resource.Info{Namespace: "shop", Name: "migrate", ResourceVersion: "1", Mapping: &meta.RESTMapping{GroupVersionKind: kind}}
	err = c.WatchUntilReady(kube.ResourceList{info}, time.Hour)
	if !errors.Is(err, c.failed) {
		t.Errorf("the client stores %v, not %v", c.failed, err)
	}
	return err
}

// TestHookResult: the last event of a hook has its result, even if the hook was deleted.
func TestHookResult(t *testing.T) {
	t.Parallel()
	job, pod := schema.GroupVersionKind{Group: "batch", Version: "v1", Kind: "Job"}, schema.GroupVersionKind{Version: "v1", Kind: "Pod"}
	for name, test := range map[string]struct {
		kind schema.GroupVersionKind
		*hookServer
		want string // in the error; "" for none
	}{
		"complete":             {job, &hookServer{events: []string{"MODIFIED " + atWork + "\nMODIFIED " + jobComplete}}, ""},
		"complete and deleted": {job, &hookServer{events: []string{"DELETED " + jobComplete}}, ""},
		"after a reconnection": {job, &hookServer{events: []string{"MODIFIED " + atWork, "MODIFIED " + jobComplete}}, ""},
		"events lost":          {job, &hookServer{events: []string{"ERROR " + tooOld}, object: jobComplete}, ""},
		"events lost, at work": {job, &hookServer{events: []string{"ERROR " + tooOld, "DELETED " + jobComplete}, object: atWork}, ""},
		"never seen":           {job, &hookServer{events: []string{"ERROR " + tooOld}}, "before lab saw its result"},
		"failed": {job, &hookServer{events: []string{"MODIFIED " + jobFailed},
			pods: `{"metadata":{"name":"migrate-x"},"status":{"phase":"Failed","containerStatuses":[{"name":"main","state":{"terminated":{"exitCode":3,"reason":"Error"}}}]}}`},
			"hook job shop/migrate: container main of pod migrate-x exited with code 3: Error: it failed: no luck"},
		"failed and deleted":  {job, &hookServer{events: []string{"DELETED " + jobFailed}}, "it failed: no luck"},
		"deleted at work":     {job, &hookServer{events: []string{"DELETED " + atWork}}, "deleted before it had run"},
		"pod":                 {pod, &hookServer{events: []string{`MODIFIED {"phase":"Running"}` + "\n" + `MODIFIED {"phase":"Succeeded"}`}}, ""},
		"failed pod":          {pod, &hookServer{events: []string{`MODIFIED {"phase":"Failed","reason":"Evicted"}`}}, "hook pod shop/migrate: no pod exists: it failed: Evicted"},
		"another kind":        {schema.GroupVersionKind{Version: "v1", Kind: "Secret"}, &hookServer{}, ""},
		"another group's job": {schema.GroupVersionKind{Group: "example.org", Version: "v1", Kind: "Job"}, &hookServer{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := watchHook(t.Context(), t, test.hookServer, test.kind)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// TestHookTimeout: the error names the pod, why it does not run, and the command that shows more.
func TestHookTimeout(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	server := &hookServer{pods: `{"metadata":{"name":"migrate-x"},"status":{"phase":"Pending","containerStatuses":[{"name":"main","image":"shop:v1",
		"state":{"waiting":{"reason":"ImagePullBackOff","message":"no such image"}}}]}}`}
	err := watchHook(ctx, t, server, schema.GroupVersionKind{Group: "batch", Version: "v1", Kind: "Job"})
	const want = "hook job shop/migrate did not finish: pod migrate-x cannot pull the image shop:v1: no such image: context deadline exceeded"
	if !errors.Is(err, context.DeadlineExceeded) || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if hint := fault.HintOf(err); !strings.Contains(hint, "kubectl describe job migrate --namespace shop") {
		t.Errorf("the hint is %q", hint)
	}
}
