package cli

import (
	"net/http"
	"testing"
)

// TestServerClosesIdleConnections checks that connections without requests do not stay open.
func TestServerClosesIdleConnections(t *testing.T) {
	t.Parallel()
	s := newHTTPServer(http.NotFoundHandler())
	if s.IdleTimeout == 0 || s.ReadHeaderTimeout == 0 || s.MaxHeaderBytes == 0 {
		t.Errorf("no limit: idle %s, headers %s, %d bytes", s.IdleTimeout, s.ReadHeaderTimeout, s.MaxHeaderBytes)
	}
}
