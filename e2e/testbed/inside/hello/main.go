// Command hello is a web server that tests run in clusters to check that a request reaches a pod. It answers every
// path with its version, the pod's name and the path, /healthz with ok, and /metrics with its counters.
//
// It listens on :8080, or on $HELLO_ADDR. Its version is v1, or $HELLO_VERSION.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "hello:", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context) error {
	host, err := os.Hostname() // in a pod, the pod's name
	if err != nil {
		return err
	}
	server := &http.Server{
		Addr:              cmp.Or(os.Getenv("HELLO_ADDR"), ":8080"),
		Handler:           handler(cmp.Or(os.Getenv("HELLO_VERSION"), "v1"), host),
		ReadHeaderTimeout: 10 * time.Second,
	}
	context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(grace)
	})
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func handler(version, host string) http.Handler {
	var requests atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		fmt.Fprintln(w, "# HELP hello_requests_total Requests answered, health checks and scrapes aside.")
		fmt.Fprintln(w, "# TYPE hello_requests_total counter")
		fmt.Fprintf(w, "hello_requests_total{version=%q} %d\n", version, requests.Load())
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		fmt.Fprintf(w, "hello %s from %s: %s\n", version, host, r.URL.Path)
	})
	return mux
}
