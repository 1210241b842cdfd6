// Command ingress is a small ingress controller for tests that send requests from the host to a pod. It serves the
// Ingresses of class $INGRESS_CLASS ("lab") by host and path on :8080. It also serves:
//
//	:10254/healthz  ok as soon as it knows the cluster's Ingresses and Services
//	:8443           an admission webhook that rejects Ingresses it cannot serve. Like
//	                common webhooks, it answers only some time after the pod is ready
//	                ($WEBHOOK_DELAY, 5s)
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/clusterlab-dev/lab/e2e/testbed/inside/internal/incluster"
)

func main() { os.Exit(incluster.Main("ingress", os.Stderr, run)) }

func run(ctx context.Context, config *rest.Config) error {
	delay, err := time.ParseDuration(cmp.Or(os.Getenv("WEBHOOK_DELAY"), "5s"))
	if err != nil {
		return fmt.Errorf("WEBHOOK_DELAY: %w", err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, time.Minute)
	c := &controller{
		class: cmp.Or(os.Getenv("INGRESS_CLASS"), "lab"), address: cmp.Or(os.Getenv("PUBLISH_ADDRESS"), "localhost"),
		client: client, ingresses: factory.Networking().V1().Ingresses().Lister(), services: factory.Core().V1().Services().Lister(),
	}
	if err := c.publish(ctx, factory.Networking().V1().Ingresses().Informer()); err != nil {
		return err
	}
	factory.Start(ctx.Done())
	defer factory.Shutdown()
	factory.WaitForCacheSync(ctx.Done())

	ended := make(chan error, 3)
	go func() { ended <- serve(ctx, ":10254", http.HandlerFunc(healthy)) }()
	go func() { ended <- serve(ctx, ":8080", c) }()
	go func() { ended <- c.serveWebhook(ctx, delay) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return nil
	}
}

func healthy(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") }

func serve(ctx context.Context, address string, handler http.Handler) error {
	server := newServer(ctx, address, handler)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// newServer returns a server that closes when ctx ends.
func newServer(ctx context.Context, address string, handler http.Handler) *http.Server {
	server := &http.Server{Addr: address, Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { server.Close() })
	return server
}
