package nodes

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// answerWithin bounds a question to an API server on this machine.
const answerWithin = 3 * time.Second

// AskVersion returns the version of Kubernetes that the API server at an address reports, or ""
// if the server requires authentication for that.
//
// The request contains no secret, and only lists show the answer. So the server need not
// authenticate itself, and lab needs no key.
func (t Tool) AskVersion(ctx context.Context, nodes []docker.Container) (string, error) {
	at, err := t.Address(nodes)
	if err != nil {
		return "", err
	}
	return AskVersion(ctx, at)
}

// AskVersion returns the version of Kubernetes that the API server at an address says it
// is. The version is "" where it does not tell strangers, and answers all the same.
//
// Nothing is sent that is worth having, and nothing depends on the answer but what a
// list shows: so the server need not prove who it is, and no key need be fetched.
func AskVersion(ctx context.Context, at string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+at+"/version", nil)
	if err != nil {
		return "", err
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized:
		return "", nil
	default: // such as forbidden, until it has created its first roles
		return "", fmt.Errorf("GET /version: %s", resp.Status)
	}
	var version struct{ GitVersion string }
	err = json.NewDecoder(resp.Body).Decode(&version)
	return version.GitVersion, err
}

// refusedFor is how long connections may fail before AwaitAPI looks for the cause: a published
// port accepts them as soon as its container runs, unless Docker runs without its proxies.
const refusedFor = 5 * time.Second

// AwaitAPI waits until the API server of a cluster answers, and stops when a node dies. A load
// balancer asks several control planes in turn, and each must answer. AwaitAPI returns
// ErrUnavailable if lab cannot reach the ports that Docker publishes.
func (t Tool) AwaitAPI(ctx context.Context, name string, step *event.Step) error {
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	var refused time.Time // since when connections to the API server fail
	for inTurn := 0; ; {
		nodes, err := t.Find(ctx, name) // again: a port may change with every start
		if err != nil {
			return err
		}
		if dead := slices.IndexFunc(nodes, isDead); dead >= 0 {
			n := nodes[dead]
			return fault.WithHint(fmt.Errorf("%s: %s", WhyNot(n), n.State.Error), "docker logs %s", n.Name)
		}
		inTurn++
		if _, err = t.AskVersion(ctx, nodes); err != nil {
			inTurn = 0
			step.Progress("no answer yet")
		}
		switch dial, ok := errors.AsType[*net.OpError](err); {
		case !ok || dial.Op != "dial":
			refused = time.Time{}
		case refused.IsZero():
			refused = time.Now()
		case time.Since(refused) > refusedFor:
			if err := docker.CheckReachable(ctx); err != nil {
				return err
			}
			refused = time.Now()
		}
		if inTurn > 0 && inTurn >= t.count(nodes) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the API server does not answer: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

// isDead reports whether a node neither runs nor is about to.
func isDead(n docker.Container) bool {
	return n.State.Status != "running" && n.State.Status != "restarting"
}

// count returns the number of control planes.
func (t Tool) count(nodes []docker.Container) int {
	n := 0
	for _, c := range nodes {
		if t.ControlPlane(c) {
			n++
		}
	}
	return n
}
