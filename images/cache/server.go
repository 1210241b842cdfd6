// Package cache contains the image cache: a server with the handler of package mirror, and the functions that start,
// query and stop the container of that server.
package cache

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/images/mirror"
	"github.com/clusterlab-dev/lab/images/store"
	"github.com/clusterlab-dev/lab/providers/fault"
)

const (
	// DefaultLimit is the default of the maximum size of the cache in bytes.
	DefaultLimit = 20_000_000_000
	// statusPath is the path of the status of the server.
	statusPath = "/status"
	// service is the name in the status, by which clients tell the cache from another server on its port.
	service = "lab-cache"
)

// Registries returns the registries that the cache asks: by the name that images have, the address. own are mirrors of
// registries, or further registries, that the user configured: "registry.corp/docker", or a URL. A mirror on the host
// self is the cache, which asks the registry.
func Registries(own map[string]string, self string) map[string]string {
	all := map[string]string{
		"docker.io":       "https://registry-1.docker.io",
		"gcr.io":          "https://gcr.io",
		"ghcr.io":         "https://ghcr.io",
		"public.ecr.aws":  "https://public.ecr.aws",
		"quay.io":         "https://quay.io",
		"registry.k8s.io": "https://registry.k8s.io",
	}
	for name, address := range own {
		if !strings.Contains(address, "://") {
			address = "https://" + address
		}
		if to, err := url.Parse(address); err == nil && to.Hostname() == self {
			if all[name] != "" {
				continue
			}
			address = "https://" + name
		}
		all[name] = address
	}
	return all
}

// Content is the status of the server.
type Content struct {
	Service    string                  `json:"service"`
	Blobs      int                     `json:"blobs"`
	Bytes      int64                   `json:"bytes"`
	Pinned     int64                   `json:"pinned"`
	Images     []string                `json:"images"`
	Registries map[string]mirror.Stats `json:"registries"` // since the server started
}

// Contents returns what a store contains.
func Contents(ctx context.Context, s *store.Store) (Content, error) {
	c := Content{Service: service, Images: []string{}, Registries: map[string]mirror.Stats{}}
	usage, err := s.Usage(ctx)
	if err != nil {
		return c, err
	}
	c.Blobs, c.Bytes, c.Pinned = usage.Blobs, usage.Bytes, usage.Pinned
	tags, err := s.Tags(ctx)
	for _, t := range tags {
		c.Images = append(c.Images, t.Ref)
	}
	return c, err
}

// Server answers the requests of container engines.
type Server struct {
	Dir        string            // of the store
	Limit      int64             // of the store, in bytes; 0 means none
	Registries map[string]string // see [Registries]
	Report     func(mirror.Event)
}

// Serve answers until ctx is cancelled.
func (s Server) Serve(ctx context.Context, l net.Listener) error {
	images := store.Open(s.Dir, store.Options{Limit: s.Limit})
	m, err := mirror.New(images, mirror.Options{Registries: s.Registries, Report: s.Report})
	if err != nil {
		return errors.Join(fault.Errorf(fault.ErrInvalid, "%w", err), l.Close())
	}
	mux := http.NewServeMux()
	mux.Handle("/v2/", m)
	mux.HandleFunc("GET "+statusPath, func(w http.ResponseWriter, r *http.Request) { answerStatus(w, r, images, m) })
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		return server.Close() // clients fetch the rest from the registry
	}
	return nil
}

func answerStatus(w http.ResponseWriter, r *http.Request, s *store.Store, m *mirror.Handler) {
	content, err := Contents(r.Context(), s)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	content.Registries = m.Stats()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(content)
}

// ask returns the status of the server at an address. Errors: ErrUnavailable.
func ask(ctx context.Context, address string) (Content, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+statusPath, nil)
	if err != nil {
		return Content{}, err
	}
	// The address is on this machine: no proxy.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(r)
	if err != nil {
		return Content{}, fault.Errorf(fault.ErrUnavailable, "%w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	var c Content
	if err := json.NewDecoder(http.MaxBytesReader(nil, answer.Body, 16<<20)).Decode(&c); err != nil || c.Service != service {
		return Content{}, fault.Errorf(fault.ErrUnavailable, "another program answers on %s", address)
	}
	return c, nil
}

// describe returns a line for the log of the server.
func describe(e mirror.Event) string {
	switch {
	case e.Err != nil:
		return fmt.Sprintf("%s: not found: %v", e.Image, e.Err)
	case e.Moved != "":
		return fmt.Sprintf("%s: moved from %s to %s", e.Image, e.Moved, e.Digest)
	case e.Stale:
		return fmt.Sprintf("%s: %s; the registry does not answer, so the tag may have moved", e.Image, e.Digest)
	}
	return fmt.Sprintf("%s: %s", e.Image, e.Digest)
}

// Describe returns a function that passes a line for each event to write.
func Describe(write func(line string)) func(mirror.Event) {
	return func(e mirror.Event) { write(describe(e)) }
}
