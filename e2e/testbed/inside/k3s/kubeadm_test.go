//go:build linux

package main

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
)

func TestReadyz(t *testing.T) {
	t.Parallel()
	var up atomic.Bool
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" || !up.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	defer server.Close()
	authority := filepath.Join(t.TempDir(), "ca.crt")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(authority, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	ready, err := readyz(server.URL+"/readyz", authority)
	if err != nil {
		t.Fatal(err)
	}
	if ready(t.Context()) == nil {
		t.Error("a server that says it is not ready is")
	}
	up.Store(true)
	if err := ready(t.Context()); err != nil {
		t.Error(err)
	}

	if err := os.WriteFile(authority, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if ready, err = readyz(server.URL+"/readyz", authority); err != nil {
		t.Fatal(err)
	}
	if ready(t.Context()) == nil {
		t.Error("a server of another authority is believed")
	}
}
