package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// headerVersion is the header of each answer with the version of the server.
const headerVersion = "Hello-Version"

// app is the server.
type app struct {
	settings
	log      *slog.Logger
	metrics  metrics
	switches switches
	count    counter
	cache    []byte // settings.Memory
	started  atomic.Bool
	ending   atomic.Bool
}

// serve serves until ctx ends.
func serve(ctx context.Context, env lookup, stdout io.Writer) error {
	s, err := fromEnvironment(env)
	if err != nil {
		return err
	}
	log, err := logger(stdout, s)
	if err != nil {
		return err
	}
	a := newApp(s, log)
	crashed := make(chan struct{})
	a.switches.crash = sync.OnceFunc(func() { close(crashed) })
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go a.switches.leak(ctx)

	failed := make(chan error, 2)
	admin := &http.Server{Addr: s.AdminAddr, Handler: a.admin(), ReadHeaderTimeout: 10 * time.Second}
	go func() { failed <- admin.ListenAndServe() }()
	defer admin.Close()
	log.Info("starting", "version", s.Version, "delay", s.StartDelay)
	a.cache = fill(s.Memory)
	if !pause(ctx, s.StartDelay) {
		return nil
	}
	public := &http.Server{Addr: s.Addr, Handler: a.public(), ReadHeaderTimeout: 10 * time.Second}
	go func() { failed <- public.ListenAndServe() }()
	a.started.Store(true)
	log.Info("serving", "address", s.Addr)

	select {
	case err := <-failed:
		return err
	case <-crashed:
		log.Error("crashing, as requested")
		return errors.New("crashed, as requested")
	case <-ctx.Done():
	}
	return a.end(context.WithoutCancel(ctx), public)
}

// end ends the server: it drops its requests, or it serves for a while and then completes them.
func (a *app) end(ctx context.Context, public *http.Server) error {
	a.ending.Store(true)
	if a.Drop {
		a.log.Warn("ending at once, with open requests")
		return public.Close()
	}
	a.log.Info("ending", "drain", a.Drain)
	again, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM) // ends the wait
	defer stop()
	pause(again, a.Drain)
	limited, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return public.Shutdown(limited)
}

func newApp(s settings, log *slog.Logger) *app {
	a := &app{settings: s, log: log}
	a.metrics.version, a.switches.now, a.count.dir = s.Version, s.Faults, s.DataDir
	return a
}

// pause waits for d, and reports whether ctx still lives.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// logger returns a logger as the settings say.
func logger(w io.Writer, s settings) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(s.LogLevel)); err != nil {
		return nil, fmt.Errorf("HELLO_LOG_LEVEL=%q: want debug, info, warn or error", s.LogLevel)
	}
	options := &slog.HandlerOptions{Level: level}
	switch s.LogFormat {
	case "text":
		return slog.New(slog.NewTextHandler(w, options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, options)), nil
	}
	return nil, fmt.Errorf("HELLO_LOG_FORMAT=%q: want text or json", s.LogFormat)
}

// probe answers a probe with ok, or with why not.
func probe(why func() string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if reason := why(); reason != "" {
			http.Error(w, reason, http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	}
}

// unready returns why the server is not ready, or "".
func (a *app) unready() string {
	switch {
	case !a.started.Load():
		return "still starting"
	case a.ending.Load():
		return "ending"
	case a.switches.get().Unready:
		return "made unready"
	}
	return ""
}

// admin returns the handler of the port inside the pod.
func (a *app) admin() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/faults", &a.switches)
	return mux
}

// public returns the handler of the public port.
func (a *app) public() http.Handler {
	mux := http.NewServeMux()
	alive := probe(func() string { return "" })
	mux.HandleFunc("GET /livez", alive)
	mux.HandleFunc("GET /healthz", alive)
	mux.HandleFunc("GET /readyz", probe(a.unready))
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		a.metrics.write(w)
	})
	for pattern, handler := range map[string]http.HandlerFunc{
		"/": a.greet, "GET /version": a.showVersion, "GET /config": a.showConfig, "GET /flags": a.showFlags,
		"GET /count": a.showCount, "GET /since": a.showSince, "GET /work": a.showWork,
	} {
		mux.HandleFunc(pattern, a.observed(a.switches.wrap(handler)))
	}
	return mux
}

// observed counts and logs the requests of a handler.
func (a *app) observed(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		w.Header().Set(headerVersion, a.Version)
		answer := &recorder{ResponseWriter: w, code: http.StatusOK}
		next(answer, r)
		took := time.Since(began)
		a.metrics.observe(answer.code, took)
		a.log.Log(r.Context(), levelOf(answer.code), "request", "method", r.Method, "path", r.URL.Path, "status", answer.code,
			"ms", float64(took.Microseconds())/1000)
	}
}

// levelOf returns the level of a request with a status: the client caused 4xx, the server 5xx.
func levelOf(code int) slog.Level {
	switch {
	case code >= http.StatusInternalServerError:
		return slog.LevelError
	case code >= http.StatusBadRequest:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// recorder remembers the status of an answer.
type recorder struct {
	http.ResponseWriter
	code int
}

// WriteHeader implements [http.ResponseWriter].
func (r *recorder) WriteHeader(code int) {
	r.code = code
	r.ResponseWriter.WriteHeader(code)
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(v) // the client has gone away
}
