package learning

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/cmd/internal/traffic"
	"github.com/clusterlab-dev/lab/exercises"
	"github.com/clusterlab-dev/lab/profiles/strict"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// busy is a cluster whose load generator writes a log. If it crashes, the log ends.
type busy struct {
	traffic.Cluster
	noPort, crashes bool
	got             traffic.Request
	stopped         int
}

func (b *busy) Target(_ context.Context, q traffic.Request) (traffic.Target, error) {
	if b.noPort {
		return traffic.Target{}, fault.Errorf(fault.ErrInvalid, "no port %d", q.Port)
	}
	return traffic.Target{Namespace: q.Namespace, Service: q.Service, Port: 80}, nil
}

func (b *busy) Generate(_ context.Context, q traffic.Request, _ traffic.Target) (io.ReadCloser, func(context.Context) error, error) {
	b.got = q
	log, generator := io.Pipe()
	go func() {
		_, _ = io.WriteString(generator, `{"time":"2026-01-01T00:00:00Z","answers":{},"failed":{"refused":2}}
{"time":"2026-01-01T00:00:00.5Z","answers":{"v1":10}}
{"time":"2026-01-01T00:00:01Z","failed":{"refused":1}}
{"time":"2026-01-01T00:00:01.5Z","answers":{"v2":5}}
`)
		if b.crashes {
			_ = generator.Close()
		}
	}()
	return log, func(context.Context) error { b.stopped++; return nil }, nil
}

// TestSender checks what a check learns from its requests, and that the load generator is stopped.
func TestSender(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		cluster *busy
		want    error
	}{
		"stopped": {&busy{}, nil}, "crashes": {&busy{crashes: true}, fault.ErrUnavailable}, "no such port": {&busy{noPort: true}, fault.ErrNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := &Learning{Traffic: &traffic.Traffic{Connect: func([]byte) (traffic.Cluster, error) { return test.cluster, nil }}}
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			answers := 0
			to := exercises.Traffic{Service: exercises.Item{Text: strict.Text{Value: "web"}}, Rate: 7, Path: "version"}
			sent, err := l.Sender(nil, "lab", nil)(ctx, "shop", to, func() {
				if answers++; answers == 2 && !test.cluster.crashes {
					cancel()
				}
			})
			if !errors.Is(err, test.want) {
				t.Fatalf("%v, want %v", err, test.want)
			}
			if test.cluster.noPort {
				return
			}
			want := exercises.Sent{Requests: 18, Failed: 3, Versions: []string{"v1", "v2"}, Answers: map[string]int{"v1": 10, "v2": 5}, Gap: time.Second / 2}
			if diff := cmp.Diff(want, sent); diff != "" || test.cluster.stopped != 1 {
				t.Errorf("stopped %d times (-want +got):\n%s", test.cluster.stopped, diff)
			}
			q := test.cluster.got
			if q.Service != "web" || q.Namespace != "shop" || q.Path != "/version" || q.Rate != 7 || q.Labels[exercises.LabelCheck] == "" || q.Image == "" {
				t.Errorf("the request is %+v", q)
			}
			if q.Lasts < time.Hour || q.Lasts > time.Hour+time.Minute { // it must end if lab is killed
				t.Errorf("it runs for %s", q.Lasts)
			}
		})
	}
}
