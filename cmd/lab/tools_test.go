package main

import (
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"

	"github.com/rogpeppe/go-internal/testscript"
	"sigs.k8s.io/yaml"

	"github.com/clusterlab-dev/lab/cmd/internal/tools/toolstest"
)

// releases puts releases of fake tools into a directory, and serves that over HTTPS, with a
// certificate by an authority in DIR/ca.pem. From then on they are what lab knows:
// releases DIR
func releases(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o700))
	server := httptest.NewUnstartedServer(http.FileServer(http.Dir(dir)))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of clients that do not trust it
	server.StartTLS()
	ts.Defer(server.Close)
	catalog, files, err := toolstest.Releases(server.URL, runtime.GOOS+"/"+runtime.GOARCH)
	ts.Check(err)
	files["ca.pem"] = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	for name, data := range files {
		ts.Check(os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	data, err := yaml.Marshal(catalog)
	ts.Check(err)
	ts.Check(os.WriteFile(filepath.Join(ts.Getenv("FAKE"), "tools.yaml"), data, 0o600))
}
