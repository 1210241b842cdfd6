package learning

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/traffic"
	"github.com/clusterlab-dev/lab/exercises"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// generatorMargin is the time after the end of a check at which its load generator exits by itself, in case lab is killed.
const generatorMargin = 10 * time.Second

// Sender returns the function that sends the requests of checks on the cluster of a kubeconfig. cluster is its name.
func (l *Learning) Sender(kubeconfig []byte, cluster string, report event.Reporter) exercises.Sender {
	return func(ctx context.Context, namespace string, t exercises.Traffic, answered func()) (exercises.Sent, error) {
		target, err := l.Traffic.Connect(kubeconfig)
		if err != nil {
			return exercises.Sent{}, err
		}
		q := traffic.Request{
			Cluster: cluster, Namespace: namespace, Service: t.Service.Value, Port: t.Port, Path: "/" + strings.TrimPrefix(t.Path, "/"),
			Rate: t.Rate, Image: cmp.Or(l.Traffic.Image, traffic.DefaultImage), Labels: map[string]string{exercises.LabelCheck: "true"},
		}
		if ends, ok := ctx.Deadline(); ok {
			q.Lasts = time.Until(ends).Truncate(time.Second) + generatorMargin
		}
		s, err := traffic.Measure(ctx, target, q, report.For(cluster), func(c traffic.Column) {
			if len(c.Answers) > 0 {
				answered()
			}
		})
		if err == nil && ctx.Err() == nil {
			err = fault.Errorf(fault.ErrUnavailable, "the load generator ended: its pod was deleted, or it crashed")
			err = fault.WithHint(err, "check again: lab exercise check")
		}
		if errors.Is(err, fault.ErrInvalid) { // the Service has no such port
			err = fault.Errorf(fault.ErrNotFound, "%w", err)
		}
		return sentOf(s), err
	}
}

// sentOf converts a summary to the result of a check's requests.
func sentOf(s traffic.Summary) exercises.Sent {
	sent := exercises.Sent{
		Requests: s.Requests, Failed: s.Lost, Answers: map[string]int{}, Gap: time.Duration(s.Gap * float64(time.Second)),
	}
	for _, v := range s.Versions {
		sent.Versions = append(sent.Versions, v.Name)
		sent.Answers[v.Name] = v.Requests
	}
	return sent
}
