// Command web is the web server of the tutorial. It answers with its version and the name of its pod.
package main

import (
	"cmp"
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	version := cmp.Or(os.Getenv("VERSION"), "v1")
	pod, err := os.Hostname() // in a pod, the name of the pod
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "web %s in %s\n", version, pod)
	})
	http.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	if err := serve(&http.Server{Addr: ":8080", ReadHeaderTimeout: 10 * time.Second}); err != nil {
		log.Fatal(err)
	}
}

// serve answers requests until SIGTERM, with which Kubernetes stops a pod, and then completes the open ones.
func serve(server *http.Server) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	served := make(chan error, 1)
	go func() { served <- server.ListenAndServe() }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return server.Shutdown(ctx)
}
