package tools_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/addons/download"
	"github.com/clusterlab-dev/lab/cmd/internal/tools"
	"github.com/clusterlab-dev/lab/cmd/internal/tools/toolstest"
)

const platform = "linux/amd64"

// bench is an installer with a server of releases that can fail.
type bench struct {
	tools.Installer
	t      *testing.T
	client download.Client

	mu      sync.Mutex
	files   map[string][]byte // by name
	answers []int             // status codes of the next requests, instead of files
	asked   int
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t}
	server := httptest.NewTLSServer(b)
	t.Cleanup(server.Close)
	catalog, files, err := toolstest.Releases(server.URL, platform)
	if err != nil {
		t.Fatal(err)
	}
	b.files, b.client = files, download.Client{HTTP: server.Client(), Pause: time.Millisecond}
	b.Installer = tools.Installer{
		Dir: filepath.Join(t.TempDir(), "state", "bin"), Platform: platform,
		Catalog: func() (tools.Catalog, error) { return catalog, nil },
	}
	return b
}

// ServeHTTP implements [http.Handler].
func (b *bench) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked++
	if len(b.answers) > 0 {
		w.WriteHeader(b.answers[0])
		b.answers = b.answers[1:]
		return
	}
	data, ok := b.files[strings.TrimPrefix(r.URL.Path, "/")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	_, _ = w.Write(data)
}

func (b *bench) requests() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.asked
}

func (b *bench) tool(name string) tools.Tool {
	b.t.Helper()
	catalog, err := b.Catalog()
	if err != nil {
		b.t.Fatal(err)
	}
	picked, err := catalog.Pick([]string{name})
	if err != nil {
		b.t.Fatal(err)
	}
	return picked[0]
}

// install installs over the network.
func (b *bench) install(name string) (fresh bool, err error) {
	b.t.Helper()
	return b.Install(b.t.Context(), b.tool(name), tools.Network(b.client), func(string) {})
}

// empty checks that the directory does not exist.
func (b *bench) empty() {
	b.t.Helper()
	if entries, err := os.ReadDir(b.Dir); !os.IsNotExist(err) {
		b.t.Errorf("left behind: %v, %v", entries, err)
	}
}
