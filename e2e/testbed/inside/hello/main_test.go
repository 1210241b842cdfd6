package main

import (
	"net/http/httptest"
	"testing"
)

func TestHandler(t *testing.T) {
	t.Parallel()
	h := handler("v7", "pod-1")
	for _, tt := range []struct{ path, want string }{
		{"/healthz", "ok\n"},
		{"/some/path", "hello v7 from pod-1: /some/path\n"},
		{"/metrics", "# HELP hello_requests_total Requests answered, health checks and scrapes aside.\n" +
			"# TYPE hello_requests_total counter\nhello_requests_total{version=\"v7\"} 1\n"},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", tt.path, nil))
		if got := w.Body.String(); got != tt.want {
			t.Errorf("GET %s = %q, want %q", tt.path, got, tt.want)
		}
	}
}
