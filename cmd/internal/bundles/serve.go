package bundles

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
	"oras.land/oras-go/v2/errdef"

	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Server serves a bundle to the machines of a room. It is an [http.Handler]. It only reads, and serves only the content of
// the bundle. The digest of the root, which clients have from elsewhere, authenticates all of it.
type Server struct {
	bundles *Bundles
	bundle  Bundle
	content map[digest.Digest]bool
	lab     digest.Digest // of the program lab; "" if the bundle has none
	rate    int64         // bytes per second of one client; 0 is no limit
	stall   time.Duration // after which a client that reads nothing is disconnected

	mu      sync.Mutex
	clients map[string]*client // by address
	events  func(Client)
}

// Client is a machine that fetches a bundle.
type Client struct {
	Address string `json:"address"`
	Bytes   int64  `json:"bytes"` // that it has fetched; repeated bytes count once
	Done    bool   `json:"done"`  // whether it has fetched as many bytes as the bundle has
}

// Stall is how long a client may read nothing before it is disconnected. A wireless network may be gone for a while; an
// import continues where it stopped.
const Stall = 30 * time.Second

type client struct {
	Client
	free time.Time               // when the client may get the next byte
	has  map[digest.Digest]int64 // how many bytes it has from the start of each blob
}

// NewServer returns the server of a complete bundle. A client gets at most rate bytes per second over all its connections;
// 0 is no limit. moved is called after each transfer, by one goroutine at a time, with the client; it may be nil. It returns
// ErrNotFound if there is no bundle of that name, and ErrUnavailable if it is not complete.
func (b *Bundles) NewServer(ctx context.Context, name string, rate int64, moved func(Client)) (*Server, error) {
	entry, err := b.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	if err := entry.readable(); err != nil {
		return nil, err
	}
	if !entry.Complete {
		err := fault.Errorf(fault.ErrUnavailable, "the bundle %s is not complete: its import was interrupted", name)
		return nil, fault.WithHint(err, "import it again: lab bundle import FILE")
	}
	list, err := tree(ctx, b.Store, entry.root)
	if err != nil {
		return nil, err
	}
	s := &Server{bundles: b, bundle: entry.Bundle, content: map[digest.Digest]bool{}, rate: rate, stall: Stall, clients: map[string]*client{}, events: moved}
	for _, d := range list {
		s.content[d.Digest] = true
	}
	if item, ok := entry.named("lab", KindProgram); ok {
		layer, err := layerOf(ctx, b.Store, item)
		if err != nil {
			return nil, err
		}
		s.lab = layer.Digest
	}
	return s, nil
}

// Bundle returns the bundle that the server serves.
func (s *Server) Bundle() Bundle { return s.bundle }

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "this server only reads", http.StatusMethodNotAllowed)
		return
	}
	encoded, isBlob := strings.CutPrefix(r.URL.Path, "/"+blobsDir+"/")
	switch {
	case r.URL.Path == "/":
		s.servePage(w, r)
	case r.URL.Path == "/lab" && s.lab != "":
		s.serveBlob(w, r, s.lab)
	case isBlob && s.content[digest.NewDigestFromEncoded(digest.SHA256, encoded)]:
		s.serveBlob(w, r, digest.NewDigestFromEncoded(digest.SHA256, encoded))
	default:
		http.NotFound(w, r)
	}
}

func (s *Server) serveBlob(w http.ResponseWriter, r *http.Request, d digest.Digest) {
	blob, err := s.bundles.Store.Open(r.Context(), d)
	switch {
	case errors.Is(err, errdef.ErrNotFound):
		http.Error(w, "the bundle "+s.bundle.Name+" was removed from this server", http.StatusGone)
		return
	case err != nil:
		http.Error(w, "the content cannot be read", http.StatusInternalServerError)
		return
	}
	defer func() { _ = blob.Close() }()
	w.Header().Set("Content-Type", dataType)
	w.Header().Set("ETag", `"`+d.String()+`"`)
	w.Header().Set("Cache-Control", "public, immutable, max-age=31536000")
	host := hostOf(r.RemoteAddr)
	body := &tracked{ReadSeeker: blob, count: func(from, to int64) { s.count(host, d, from, to) }}
	http.ServeContent(&paced{ResponseWriter: w, ctx: r.Context(), server: s, host: host}, r, "", time.Time{}, body)
	s.report(host)
}

// tracked reports the parts of a blob that are read.
type tracked struct {
	io.ReadSeeker
	offset int64
	count  func(from, to int64)
}

// Seek implements [io.Seeker].
func (c *tracked) Seek(offset int64, whence int) (int64, error) {
	at, err := c.ReadSeeker.Seek(offset, whence)
	c.offset = at
	return at, err
}

// Read implements [io.Reader].
func (c *tracked) Read(p []byte) (int, error) {
	n, err := c.ReadSeeker.Read(p)
	c.count(c.offset, c.offset+int64(n))
	c.offset += int64(n)
	return n, err
}

// chunk is how many bytes a client gets between two checks of its rate, and must read before it counts as stalled.
const chunk = 64 << 10

// paced writes to a client at most at the rate of the server, as long as the client reads.
type paced struct {
	http.ResponseWriter
	ctx    context.Context
	server *Server
	host   string
}

// Write implements [io.Writer].
func (p *paced) Write(data []byte) (written int, err error) {
	for len(data) > 0 {
		part := data[:min(chunk, len(data))]
		if err := p.server.await(p.ctx, p.host, len(part)); err != nil {
			return written, err
		}
		if err := p.extend(); err != nil {
			return written, err
		}
		n, err := p.ResponseWriter.Write(part)
		written, data = written+n, data[n:]
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// extend gives the client time to read the next chunk.
func (p *paced) extend() error {
	err := http.NewResponseController(p.ResponseWriter).SetWriteDeadline(time.Now().Add(p.server.stall))
	if errors.Is(err, http.ErrNotSupported) { // not a connection
		return nil
	}
	return err
}

// ReadFrom implements [io.ReaderFrom]: without it, net/http would copy without Write.
func (p *paced) ReadFrom(r io.Reader) (int64, error) {
	return io.CopyBuffer(struct{ io.Writer }{p}, r, make([]byte, chunk))
}

// await waits until a client may get n bytes.
func (s *Server) await(ctx context.Context, host string, n int) error {
	if s.rate == 0 {
		return nil
	}
	s.mu.Lock()
	c := s.client(host)
	now := time.Now()
	if c.free.Before(now) {
		c.free = now
	}
	wait := c.free.Sub(now)
	c.free = c.free.Add(time.Duration(int64(n) * int64(time.Second) / s.rate))
	s.mu.Unlock()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(wait):
		return nil
	}
}

// client returns the client with an address. The caller holds the lock.
func (s *Server) client(host string) *client {
	if s.clients[host] == nil {
		s.clients[host] = &client{Client: Client{Address: host}, has: map[digest.Digest]int64{}}
	}
	return s.clients[host]
}

// count records that a client gets a range of a blob. A transfer that was resumed or repeated counts once. A range that
// does not continue the earlier ones is not counted.
func (s *Server) count(host string, d digest.Digest, from, to int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.client(host)
	if has := c.has[d]; from <= has && to > has {
		c.Bytes += to - has
		c.has[d] = to
	}
	c.Done = c.Bytes >= s.bundle.Size
}

func (s *Server) report(host string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.events != nil {
		s.events(s.client(host).Client)
	}
}

// Lines returns the commands that a user types on another machine, where address is that of the server.
func (s *Server) Lines(address string) []string {
	command := "lab"
	var lines []string
	if s.lab != "" {
		command = "./lab"
		lines = append(lines, fmt.Sprintf("curl -fo lab http://%s/lab && echo '%s  lab' | sha256sum -c && chmod +x lab", address, s.lab.Encoded()))
	}
	lines = append(lines, fmt.Sprintf("%s bundle import 'http://%s#%s'", command, address, s.bundle.Digest))
	return append(lines, command+" up --offline")
}

const page = `<!DOCTYPE html><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{.Bundle.Name}}</title>
<style>body{font:16px/1.5 sans-serif;margin:2em auto;max-width:60em;padding:0 1em}pre{background:#eee;padding:1em;white-space:pre-wrap;word-break:break-all}</style>
<h1>{{.Bundle.Name}}</h1>
<p>Compare the first characters of the checksums with those on the screen of your teacher, then type, one line after the other:</p>
{{range .Lines}}<pre>{{.}}</pre>
{{end}}<p>{{.Size}}, for {{.Bundle.Platform}}. On macOS, use <code>shasum -a 256 -c</code> in place of <code>sha256sum -c</code>.</p>
`

func (s *Server) servePage(w http.ResponseWriter, r *http.Request) {
	t, err := template.New("page").Parse(page)
	var text bytes.Buffer
	if err == nil {
		err = t.Execute(&text, map[string]any{"Bundle": s.bundle, "Lines": s.Lines(r.Host), "Size": event.Size(s.bundle.Size)})
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	_, _ = w.Write(text.Bytes())
}

// PrivateAddress returns the address to listen on, with an IP address in place of localhost. It returns ErrInvalid for an
// address that other networks may reach: a bundle may contain charts and images of private registries. Loopback, private and
// link-local addresses are allowed.
func PrivateAddress(address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", fault.WithHint(fault.Errorf(fault.ErrInvalid, "%q is not ADDRESS:PORT", address), "for example --listen 192.168.1.10:8090")
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		err := fault.Errorf(fault.ErrInvalid, "%q is not a port", port)
		return "", fault.WithHint(err, "use a number up to 65535, or 0 for a free port: --listen %s", net.JoinHostPort(host, "0"))
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	ip := net.ParseIP(host)
	if ip == nil || !ip.IsLoopback() && !ip.IsPrivate() && !ip.IsLinkLocalUnicast() {
		err := fault.Errorf(fault.ErrInvalid, "%q is not an address of a private network", host)
		return "", fault.WithHint(err, "use the address of this machine in the room: --listen 192.168.1.10:8090; lab bundle serve lists the addresses")
	}
	return net.JoinHostPort(host, port), nil
}
