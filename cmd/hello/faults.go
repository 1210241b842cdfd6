package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// faults are the faults of the server.
type faults struct {
	Unready bool          // /readyz fails
	Errors  float64       // the share of requests that fail with status 500, from 0 to 1
	Latency time.Duration // added to each request
	Leak    int           // memory that is leaked, in MiB a second
}

// set sets a fault to a value that a person typed.
func (f *faults) set(name, value string) error {
	switch name {
	case "unready":
		return boolean(&f.Unready)(value)
	case "latency":
		return duration(&f.Latency)(value)
	case "errors":
		share, err := strconv.ParseFloat(value, 64)
		if err != nil || !(share >= 0 && share <= 1) {
			return errors.New("want a share of the requests, from 0 to 1")
		}
		f.Errors = share
		return nil
	case "leak":
		mib, err := strconv.Atoi(value)
		if err != nil || mib < 0 {
			return errors.New("want MiB a second")
		}
		f.Leak = mib
		return nil
	}
	return fmt.Errorf("no fault %q; the faults are unready, errors, latency, leak and crash", name)
}

// MarshalJSON writes the latency as people type it.
func (f faults) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"unready": f.Unready, "errors": f.Errors, "latency": f.Latency.String(), "leak": f.Leak})
}

// switches are the faults of a running server. It is safe for concurrent use.
type switches struct {
	mu     sync.Mutex
	now    faults
	leaked [][]byte
	crash  func()
}

func (s *switches) get() faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// ServeHTTP shows the faults, and sets those that a POST names in its query.
func (s *switches) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method == http.MethodPost {
		changed := s.now
		for name, values := range r.URL.Query() {
			if name == "crash" {
				s.crash()
				continue
			}
			if err := changed.set(name, values[len(values)-1]); err != nil {
				http.Error(w, name+": "+err.Error(), http.StatusBadRequest)
				return
			}
		}
		s.now = changed
	}
	writeJSON(w, s.now)
}

// leak leaks memory until ctx ends.
func (s *switches) leak(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		s.mu.Lock()
		if s.now.Leak > 0 {
			s.leaked = append(s.leaked, fill(s.now.Leak))
		}
		s.mu.Unlock()
	}
}

// fill returns a block of memory that counts as used: memory that is never written does not.
func fill(mib int) []byte {
	block := make([]byte, mib<<20)
	for i := range block {
		block[i] = 1
	}
	return block
}

// wrap applies latency and errors to a handler.
func (s *switches) wrap(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f := s.get()
		if f.Latency > 0 {
			timer := time.NewTimer(f.Latency)
			defer timer.Stop()
			select {
			case <-r.Context().Done():
				return
			case <-timer.C:
			}
		}
		if rand.Float64() < f.Errors {
			http.Error(w, "this version is broken", http.StatusInternalServerError)
			return
		}
		next(w, r)
	}
}

// fault prints the faults of the server in this pod, and sets those that args name.
func fault(ctx context.Context, args []string, env lookup, stdout io.Writer) error {
	query := url.Values{}
	for _, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		if !ok && name != "crash" || strings.HasPrefix(name, "-") {
			return errUsage
		}
		query.Set(name, value)
	}
	method := http.MethodGet
	if len(args) > 0 {
		method = http.MethodPost
	}
	address := "http://" + adminAddr(env) + "/faults?" + query.Encode()
	err := request(ctx, method, address, stdout)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("no server listens on %s in this pod", adminAddr(env))
	}
	return err
}
