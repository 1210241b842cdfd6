package providertest

import (
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAskVersion(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/version" || r.Header.Get("Authorization") != "Bearer not-a-secret" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshakes that are to fail
	server.StartTLS()
	defer server.Close()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	otherCA, err := newCA("other")
	must(t, err)
	at := func(kubeconfig []byte, url string) string {
		return strings.Replace(string(kubeconfig), "https://127.0.0.1:1", url, 1)
	}
	good := at(newKubeconfig("lab", ca), server.URL)
	for name, tc := range map[string]struct {
		kubeconfig string
		fails      string // part of the error
	}{
		"answers":         {good, ""},
		"unauthorized":    {strings.Replace(good, "not-a-secret", "wrong", 1), "401"},
		"another cluster": {at(newKubeconfig("lab", otherCA), server.URL), "certificate"},
		"nobody there":    {string(newKubeconfig("lab", ca)), "refused"},
		"no kubeconfig":   {"", "0 clusters"},
	} {
		t.Run(name, func(t *testing.T) {
			err := AskVersion(t.Context(), []byte(tc.kubeconfig))
			if tc.fails == "" && err != nil || tc.fails != "" && (err == nil || !strings.Contains(err.Error(), tc.fails)) {
				t.Errorf("error is %v, want one with %q", err, tc.fails)
			}
		})
	}
}
