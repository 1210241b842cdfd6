package main

import (
	"context"
	"io"
	"strings"

	"github.com/clusterlab-dev/lab/cmd/internal/traffic"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// rollout is a cluster with one Service, web, whose pods are replaced while requests are sent.
type rollout struct{}

func (rollout) Target(_ context.Context, q traffic.Request) (traffic.Target, error) {
	if q.Service != "web" {
		return traffic.Target{}, fault.Errorf(fault.ErrNotFound, "namespace %q has no Service %q", q.Namespace, q.Service)
	}
	return traffic.Target{Namespace: q.Namespace, Service: q.Service, Port: 80}, nil
}

func (rollout) Backends(context.Context, traffic.Target) ([]string, error) {
	return []string{"v1"}, nil
}

func (rollout) Generate(context.Context, traffic.Request, traffic.Target) (io.ReadCloser, func(context.Context) error, error) {
	log := `{"time":"2026-01-01T00:00:00Z","answers":{"v1":10},"failed":{},"p95":3}
{"time":"2026-01-01T00:00:00.5Z","answers":{"v1":7,"v2":3},"failed":{"refused":1},"p95":4}
{"time":"2026-01-01T00:00:01Z","answers":{"v1":2,"v2":8},"failed":{},"p95":4}
{"time":"2026-01-01T00:00:01.5Z","answers":{"v2":10},"failed":{},"p95":3}
`
	return io.NopCloser(strings.NewReader(log)), func(context.Context) error { return nil }, nil
}
