package live_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/exercises"
	"github.com/clusterlab-dev/lab/exercises/live"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// connect returns the cluster of an API server that answers with a status and a body, and the
// requests that it received.
func connect(t *testing.T, status int, body string) (exercises.Cluster, *[]string) {
	t.Helper()
	var requests []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests = append(requests, r.Method+" "+r.URL.Path)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	c, err := live.Connect([]byte(`{"apiVersion": "v1", "kind": "Config", "current-context": "a", "contexts": [{"name": "a", "context": {"cluster": "a"}}],
		"clusters": [{"name": "a", "cluster": {"server": "` + server.URL + `"}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	return c, &requests
}

const notFound = `{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404, "message": "no web"}`

func TestErrors(t *testing.T) {
	t.Parallel()
	pods, _ := exercises.ResourceOf("Pod")
	c, _ := connect(t, http.StatusNotFound, notFound)
	if _, err := c.Get(t.Context(), pods, "shop", "web"); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("not found: %v", err)
	}
	if err := c.Delete(t.Context(), pods, "shop", exercises.Object{"metadata": map[string]any{"name": "web"}}); err != nil {
		t.Errorf("deleting what does not exist: %v", err)
	}
	c, _ = connect(t, http.StatusOK, "not JSON")
	if _, err := c.Get(t.Context(), pods, "shop", "web"); !errors.Is(err, fault.ErrUnavailable) || fault.HintOf(err) == "" {
		t.Errorf("no API server: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.List(ended, pods, "", ""); !errors.Is(err, context.Canceled) || errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("interrupted: %v", err)
	}
}

func TestAsk(t *testing.T) {
	t.Parallel()
	c, requests := connect(t, http.StatusOK, "hello")
	if got := c.Ask(t.Context(), "shop", "web", 80, "/version"); got.Status != 200 || got.Body != "hello" || got.Err != "" {
		t.Errorf("%+v", got)
	}
	if want := "GET /api/v1/namespaces/shop/services/http:web:80/proxy/version"; len(*requests) != 1 || (*requests)[0] != want {
		t.Errorf("requests %q, want %q", *requests, want)
	}
	c, _ = connect(t, http.StatusTeapot, "no")
	if got := c.Ask(t.Context(), "shop", "web", 80, "/"); got.Status != http.StatusTeapot {
		t.Errorf("an answer that is an error: %+v", got)
	}
	c, _ = connect(t, http.StatusServiceUnavailable, strings.Replace(strings.Replace(notFound, "NotFound", "ServiceUnavailable", 1), "404", "503", 1))
	if got := c.Ask(t.Context(), "shop", "web", 80, "/"); got.Status != 0 || got.Err == "" {
		t.Errorf("no endpoints: %+v", got)
	}
}

// TestWatch checks that each event of a watch is reported, and that the end of the connection ends the watch.
func TestWatch(t *testing.T) {
	t.Parallel()
	services, _ := exercises.ResourceOf("Service")
	const event = `{"type": "ADDED", "object": {"kind": "Service", "apiVersion": "v1", "metadata": {"name": "web"}}}`
	c, requests := connect(t, http.StatusOK, event+"\n"+event)
	changes := 0
	err := c.Watch(t.Context(), exercises.Watched{Resource: services, Name: "web"}, func() { changes++ })
	if err != nil || changes != 2 || (*requests)[0] != "GET /api/v1/services" {
		t.Errorf("%d changes, requests %q, %v", changes, *requests, err)
	}
	c, _ = connect(t, http.StatusNotFound, notFound)
	if err := c.Watch(t.Context(), exercises.Watched{Resource: services, Namespace: "shop"}, func() {}); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("a watch that is not possible: %v", err)
	}
	c, _ = connect(t, http.StatusOK, `{"type": "ERROR", "object": `+notFound+`}`)
	if err := c.Watch(t.Context(), exercises.Watched{Resource: services}, func() {}); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("a watch that failed later: %v", err)
	}
}
