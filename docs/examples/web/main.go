// Command web is the web server of the tutorial: it says in which version it runs, and in which pod.
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
	pod, err := os.Hostname() // in a pod, its name
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

// serve answers until Kubernetes wants the pod to go, and then what has been asked already.
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
