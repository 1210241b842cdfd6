package cli

import (
	"net/http"
	"testing"
)

// TestServerClosesIdleConnections checks that connections without requests, or of clients that do not read, do not stay
// open.
func TestServerClosesIdleConnections(t *testing.T) {
	t.Parallel()
	s := newHTTPServer(http.NotFoundHandler())
	if s.IdleTimeout == 0 || s.ReadHeaderTimeout == 0 || s.WriteTimeout == 0 || s.MaxHeaderBytes == 0 {
		t.Errorf("no limit: idle %s, headers %s, answers %s, %d bytes", s.IdleTimeout, s.ReadHeaderTimeout, s.WriteTimeout, s.MaxHeaderBytes)
	}
}
