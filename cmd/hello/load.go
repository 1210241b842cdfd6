package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// column is how long the answers of one line arrive.
	column = 500 * time.Millisecond

	// late is how long an answer may take before the request counts as lost.
	late = 2 * time.Second
)

// line is what arrived within one column.
type line struct {
	Time     time.Time      `json:"time"`     // the start of the column
	Answers  map[string]int `json:"answers"`  // answers with any status, by version
	Failed   map[string]int `json:"failed"`   // lost requests and answers with a status of 500 or more, by reason
	P50      float64        `json:"p50"`      // of the answers, in milliseconds
	P95      float64        `json:"p95"`      // likewise
	InFlight int            `json:"inFlight"` // requests without an answer so far
}

// load sends requests at a constant rate, each with a new connection: one that is kept open reaches
// only one pod.
func load(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("hello load", flag.ContinueOnError)
	flags.SetOutput(stderr)
	rate := flags.Int("rate", 20, "requests a second, up to 1000")
	lasts := flags.Duration("for", 0, "how long to send; 0 for ever")
	if err := flags.Parse(args); err != nil {
		return usageOf(err)
	}
	if flags.NArg() != 1 || *rate < 1 || *rate > 1000 || *lasts < 0 {
		return errUsage
	}
	if *lasts > 0 {
		limited, cancel := context.WithTimeout(ctx, *lasts)
		defer cancel()
		ctx = limited
	}
	g := &generator{url: flags.Arg(0), client: &http.Client{Timeout: late, Transport: &http.Transport{DisableKeepAlives: true}}}
	g.clear(time.Now())
	return g.run(ctx, time.Second/time.Duration(*rate), json.NewEncoder(stdout))
}

// generator sends requests. It is safe for concurrent use.
type generator struct {
	url    string
	client *http.Client

	mu    sync.Mutex
	now   line
	times []time.Duration
	open  int
}

// run sends a request every interval, and writes a line for every column. When ctx ends, it waits for the open requests.
func (g *generator) run(ctx context.Context, interval time.Duration, out *json.Encoder) error {
	send, write := time.NewTicker(interval), time.NewTicker(column)
	defer send.Stop()
	defer write.Stop()
	var requests sync.WaitGroup
	for {
		select {
		case <-ctx.Done():
			requests.Wait()
			return out.Encode(g.take(time.Now()))
		case <-send.C:
			requests.Go(g.send)
		case now := <-write.C:
			if err := out.Encode(g.take(now)); err != nil {
				return err
			}
		}
	}
}

func (g *generator) send() {
	g.mu.Lock()
	g.open++
	g.mu.Unlock()
	began := time.Now()
	version, failed := g.ask()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open--
	if version != "" {
		g.now.Answers[version]++
		g.times = append(g.times, time.Since(began))
	}
	if failed != "" {
		g.now.Failed[failed]++
	}
}

// ask sends one request, and returns the version that answered, and why the request failed.
func (g *generator) ask() (version, failed string) {
	answer, err := g.client.Get(g.url)
	if err != nil {
		return "", reason(err)
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<20)); err != nil {
		return "", reason(err)
	}
	if version = answer.Header.Get(headerVersion); version == "" {
		version = "unknown"
	}
	if answer.StatusCode >= http.StatusInternalServerError {
		failed = fmt.Sprintf("status %d", answer.StatusCode)
	}
	return version, failed
}

// reason returns why a request was lost.
func reason(err error) string {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "reset"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case strings.Contains(err.Error(), "no such host"):
		return "no such host"
	}
	return "other"
}

// take returns the current line and begins the next.
func (g *generator) take(now time.Time) line {
	g.mu.Lock()
	defer g.mu.Unlock()
	slices.Sort(g.times)
	done := g.now
	done.P50, done.P95, done.InFlight = quantile(g.times, 50), quantile(g.times, 95), g.open
	g.clear(now)
	return done
}

func (g *generator) clear(now time.Time) {
	g.now = line{Time: now, Answers: map[string]int{}, Failed: map[string]int{}}
	g.times = nil
}

// quantile returns a percentile of sorted durations, in milliseconds, or 0 if there are none.
func quantile(sorted []time.Duration, percent int) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return float64(sorted[(len(sorted)-1)*percent/100].Microseconds()) / 1000
}
