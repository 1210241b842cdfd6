package exercises

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/clusterlab-dev/lab/providers/fault"
)

const (
	// LabelCheck marks the load generators of checks, so that they can be found after a crash.
	LabelCheck = "clusterlab.dev/exercise-check"

	// labelTraffic marks all load generators of lab. Exercises do not see them.
	labelTraffic = "clusterlab.dev/traffic"
)

const (
	traffic     = "traffic" // the variable with what requests found
	defaultRate = 20        // requests a second

	// answerTime is how long the first answer may take. The load generator must start first.
	answerTime = time.Minute

	// calmTime is how long pods may take to end before the requests.
	calmTime = 30 * time.Second
)

// Sent is what requests to a Service found.
type Sent struct {
	Requests int
	Failed   int            // without an answer, or with a status of 500 or more
	Versions []string       // in the order of their first answers
	Answers  map[string]int // by version
	Gap      time.Duration  // the longest time without an answer
}

// value returns what expressions read.
func (s Sent) value() map[string]any {
	versions, answers := []any{}, map[string]any{}
	for _, v := range s.Versions {
		versions = append(versions, v)
	}
	for v, n := range s.Answers {
		answers[v] = int64(n)
	}
	return map[string]any{
		"sent": int64(s.Requests), "failed": int64(s.Failed), "versions": versions, "answers": answers, "gap": s.Gap.Seconds(),
	}
}

// Sender sends requests from inside the cluster until ctx ends, which is not an error, and calls
// answered whenever an answer has arrived. ctx has a deadline. Sender returns ErrNotFound if the
// namespace has no such Service, and ErrUnavailable if it has to stop before ctx ends. Its load
// generator is a pod with [LabelCheck] in the namespace; Sender deletes it.
type Sender func(ctx context.Context, namespace string, t Traffic, answered func()) (Sent, error)

// sending is a load generator that runs.
type sending struct {
	stop     func()
	answered chan struct{} // closed with the first answer
	done     chan struct{} // closed when it has ended
	sent     Sent
	err      error
}

func (a *act) send(ctx context.Context, t Traffic) *sending {
	ctx, stop := context.WithCancel(ctx)
	s := &sending{stop: stop, answered: make(chan struct{}), done: make(chan struct{})}
	var once sync.Once
	go func() {
		defer close(s.done)
		s.sent, s.err = a.Send(ctx, a.undo.Namespace, t, func() { once.Do(func() { close(s.answered) }) })
	}()
	return s
}

// end stops the load generator. Without a Service, nothing was sent.
func (s *sending) end() (Sent, error) {
	s.stop()
	<-s.done
	if errors.Is(s.err, fault.ErrNotFound) {
		return Sent{}, nil
	}
	return s.sent, s.err
}

// underTraffic changes the cluster while requests are sent: from the first answer, until some time
// after the change has ended. More time would not improve their results, so it evaluates once.
func (a *act) underTraffic(ctx context.Context) (Result, error) {
	t, within := a.check.Act.Traffic, a.check.Act.Within.Or(defaultWithin)
	if t.Rate == 0 {
		t.Rate = defaultRate
	}
	tail := t.For.Or(defaultTail)
	if err := a.calm(ctx); err != nil {
		return Result{}, err
	}
	limited, cancel := context.WithTimeout(ctx, answerTime+within+tail)
	defer cancel()
	s := a.send(limited, t)
	ended, err := false, error(nil)
	select {
	case <-s.answered:
		ended, err = a.changeAnd(limited, within, tail)
	case <-time.After(answerTime): // nobody answers, so there is nothing to disturb
	case <-s.done:
	}
	sent, sendErr := s.end()
	if err := errors.Join(ctx.Err(), err, sendErr); err != nil {
		return Result{}, err
	}
	now, err := a.e.Observe(ctx, a.Cluster, a.RunsPods)
	if err != nil {
		return Result{}, err
	}
	state := a.state(now, sent)
	if !ended || sent.Requests == 0 {
		return a.fail(ctx, state), nil
	}
	return a.check.evaluate(ctx, state), nil
}

// calm waits until no pod of the exercise is being deleted: the rollout before this change would lose requests, and its old
// version would answer. It gives up after calmTime.
func (a *act) calm(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, calmTime)
	defer cancel()
	r, _ := ResourceOf("Pod")
	for {
		pods, err := list(ctx, a.Cluster, r, a.undo.Namespace, "")
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(pods, func(pod Object) bool { return text(pod, "metadata", "deletionTimestamp") != "" }) {
			return nil
		}
		if pause(limited) != nil {
			return ctx.Err()
		}
	}
}

// changeAnd changes the cluster, waits until the change has ended, and then for the time tail. It
// returns false if the change does not end within a time.
func (a *act) changeAnd(ctx context.Context, within, tail time.Duration) (bool, error) {
	if err := a.undo.change(ctx, a.Cluster, a.check.Act); err != nil {
		return false, err
	}
	limited, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		ended, err := a.ended(ctx)
		if err != nil {
			return false, err
		}
		if ended {
			break
		}
		if pause(limited) != nil {
			return false, nil
		}
	}
	select {
	case <-ctx.Done():
	case <-time.After(tail):
	}
	return true, nil
}

// list returns the objects of a kind without the load generators of lab.
func list(ctx context.Context, c Cluster, r Resource, namespace, selector string) ([]Object, error) {
	all, err := c.List(ctx, r, namespace, selector)
	return slices.DeleteFunc(all, func(o Object) bool { return text(o, "metadata", "labels", labelTraffic) != "" }), err
}

// stopGenerators deletes the load generators of checks in a namespace.
func stopGenerators(ctx context.Context, c Cluster, namespace string) error {
	r, _ := ResourceOf("Pod")
	pods, err := c.List(ctx, r, namespace, LabelCheck)
	for _, pod := range pods {
		if err := c.Delete(ctx, r, namespace, pod); err != nil {
			return err
		}
	}
	return err
}
