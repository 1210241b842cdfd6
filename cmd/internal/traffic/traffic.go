// Package traffic sends requests to a Service of a cluster and reports which version answers, so that a rollout can be
// watched. On clusters that simulate pods, it derives the answers from the endpoints of the Service.
package traffic

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// ColumnTime is the length of a column. The load generator of hello has the same.
const ColumnTime = 500 * time.Millisecond

// Column counts the answers within [ColumnTime].
type Column struct {
	Time    time.Time      `json:"time"`    // its start
	Answers map[string]int `json:"answers"` // with any status, by version
	Failed  map[string]int `json:"failed"`  // lost requests, and answers with a status of 500 or more, by reason
	P95     float64        `json:"p95"`     // of the answers, in milliseconds

	InFlight int `json:"inFlight"` // requests that wait for an answer at its end
}

// Request says which Service gets requests.
type Request struct {
	Cluster   string
	Namespace string
	Service   string
	Port      int           // 0: the first of the Service
	Path      string        // begins with /
	Rate      int           // requests a second
	Lasts     time.Duration // 0: until ctx ends
	Image     string        // of the load generator

	Labels map[string]string // additional labels of the load generator
}

// Target is a Service and the way to it.
type Target struct {
	Namespace, Service string
	Port               int
}

// Cluster is the access to one cluster.
type Cluster interface {
	// Target returns the Service of a request. It returns ErrNotFound if the namespace has no such Service, and
	// ErrInvalid if it has no such port.
	Target(ctx context.Context, q Request) (Target, error)

	// Generate starts a pod that sends the requests, and returns its log. stop deletes the pod. The pod also ends by
	// itself. Generate deletes a pod that does not start.
	Generate(ctx context.Context, q Request, to Target) (log io.ReadCloser, stop func(context.Context) error, err error)

	// Backends returns the versions of the ready pods of a Service: the tags of their images.
	Backends(ctx context.Context, to Target) ([]string, error)
}

// Traffic sends requests to Services. It is safe for concurrent use.
type Traffic struct {
	Inventory *inventory.Inventory
	Connect   func(kubeconfig []byte) (Cluster, error)
	Image     string // of the load generator, if a request names none
}

// DefaultImage is the image of hello.
const DefaultImage = "ghcr.io/clusterlab-dev/hello:v1"

// stopTime is how long the deletion of the load generator may take.
const stopTime = 20 * time.Second

// Run sends requests for q.Lasts or until ctx ends, which is not an error, and calls each for every column. simulated is
// true if the answers are derived from endpoints and no requests are sent.
func (t *Traffic) Run(ctx context.Context, q Request, report event.Reporter, each func(to Target, c Column, simulated bool)) (Summary, error) {
	h, err := t.Inventory.OpenUsable(ctx, q.Cluster)
	if err != nil {
		return Summary{}, err
	}
	target, err := h.Target(ctx)
	if err != nil {
		return Summary{}, err
	}
	cluster, err := t.Connect(target.Kubeconfig)
	if err != nil {
		return Summary{}, err
	}
	q.Image = cmp.Or(q.Image, t.Image, DefaultImage)
	to, err := cluster.Target(ctx, q)
	if err != nil {
		return Summary{}, err
	}
	s := Summary{Namespace: to.Namespace, Service: to.Service, Simulated: !h.Record.Traits.RunsPods}
	take := func(c Column) {
		s.add(c)
		each(to, c, s.Simulated)
	}
	if s.Simulated {
		err = simulate(ctx, cluster, to, q, take)
	} else {
		err = generate(ctx, cluster, to, q, report.For(q.Cluster), take)
	}
	s.conclude()
	return s, err
}

// Measure is [Traffic.Run] on a cluster that runs pods and is connected already. The request names the image.
func Measure(ctx context.Context, cluster Cluster, q Request, report event.Reporter, each func(Column)) (Summary, error) {
	to, err := cluster.Target(ctx, q)
	if err != nil {
		return Summary{}, err
	}
	s := Summary{Namespace: to.Namespace, Service: to.Service}
	err = generate(ctx, cluster, to, q, report, func(c Column) {
		s.add(c)
		each(c)
	})
	s.conclude()
	return s, err
}

// generate runs the load generator and reads its log.
func generate(ctx context.Context, cluster Cluster, to Target, q Request, report event.Reporter, take func(Column)) (err error) {
	var log io.ReadCloser
	var stop func(context.Context) error
	err = report.Do("Starting the load generator", func(*event.Step) (err error) {
		log, stop, err = cluster.Generate(ctx, q, to)
		return err
	})
	if err != nil {
		return err
	}
	defer func() {
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		defer cancel()
		err = errors.Join(err, stop(limited))
	}()
	defer log.Close()
	defer context.AfterFunc(ctx, func() { _ = log.Close() })()
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		var c Column
		if json.Unmarshal(lines.Bytes(), &c) == nil && !c.Time.IsZero() {
			take(c)
		}
	}
	switch err := lines.Err(); {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return fmt.Errorf("cannot read the log of the load generator: %w", err)
	case q.Lasts == 0:
		return fault.Errorf(fault.ErrUnavailable, "the load generator ended: its pod was deleted, or it crashed")
	}
	return nil
}

// simulate derives the answers from the ready pods: each answers the same number of requests.
func simulate(ctx context.Context, cluster Cluster, to Target, q Request, take func(Column)) error {
	tick := time.NewTicker(ColumnTime)
	defer tick.Stop()
	next := 0
	for n := 0; q.Lasts == 0 || time.Duration(n)*ColumnTime < q.Lasts; n++ {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			versions, err := cluster.Backends(ctx, to)
			if ctx.Err() != nil {
				return nil
			}
			if err != nil {
				return err
			}
			c := Column{Time: now, Answers: map[string]int{}, Failed: map[string]int{}}
			for range max(1, int(float64(q.Rate)*ColumnTime.Seconds())) {
				if len(versions) == 0 {
					c.Failed["no ready pod"]++
					continue
				}
				c.Answers[versions[next%len(versions)]]++
				next++
			}
			take(c)
		}
	}
	return nil
}
