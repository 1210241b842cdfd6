package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// environment returns a lookup of variables, NAME=VALUE.
func environment(variables ...string) lookup {
	return func(name string) (string, bool) {
		for _, v := range variables {
			if key, value, _ := strings.Cut(v, "="); key == name {
				return value, true
			}
		}
		return "", false
	}
}

// server returns a server that has started, and the URLs of both of its ports.
func server(t *testing.T, variables ...string) (a *app, public, admin string) {
	t.Helper()
	s, err := fromEnvironment(environment(variables...))
	if err != nil {
		t.Fatal(err)
	}
	s.Pod = "web-1"
	a = newApp(s, slog.New(slog.DiscardHandler))
	a.started.Store(true)
	ports := []string{"", ""}
	for i, handler := range []http.Handler{a.public(), a.admin()} {
		listener := httptest.NewServer(handler)
		t.Cleanup(listener.Close)
		ports[i] = listener.URL
	}
	return a, ports[0], ports[1]
}

// ask returns the status and the body of an answer.
func ask(t *testing.T, method, url string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

func TestPages(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "flags"), []byte("loud=true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, url, _ := server(t, "HELLO_VERSION=v2", "HELLO_FLAGS=dark=false,loud=false", "HELLO_CONFIG_DIR="+dir, "HELLO_PASSWORD=secret", "HELLO_NODE=node-1")
	for path, want := range map[string]string{
		"/x":       "HELLO! v2 from web-1: /x\n",
		"/version": `"version": "v2"`,
		"/config":  `"passwordLength": 6`,
		"/flags":   `"dark": false`,
		"/since":   "Z\n",
		"/healthz": "ok\n",
		"/readyz":  "ok\n",
		"/metrics": `hello_build_info{version="v2"} 1`,
	} {
		code, body := ask(t, http.MethodGet, url+path)
		if code != http.StatusOK || !strings.Contains(body, want) || strings.Contains(body, "secret") {
			t.Errorf("%s: %d %s, want %s", path, code, body, want)
		}
	}
	if code, _ := ask(t, http.MethodGet, url+"/work?ms=soon"); code != http.StatusBadRequest {
		t.Errorf("work: %d", code)
	}
}

// TestMetricsCount checks that requests are counted by status, and probes are not.
func TestMetricsCount(t *testing.T) {
	a, url, _ := server(t)
	ask(t, http.MethodGet, url+"/healthz")
	ask(t, http.MethodGet, url+"/")
	a.switches.now.Errors = 1
	ask(t, http.MethodGet, url+"/")
	_, body := ask(t, http.MethodGet, url+"/metrics")
	for _, want := range []string{
		`hello_requests_total{version="v1",code="200"} 1`, `hello_requests_total{version="v1",code="500"} 1`,
		`hello_request_duration_seconds_bucket{version="v1",le="+Inf"} 2`,
	} {
		if !strings.Contains(body, want+"\n") {
			t.Errorf("no %s in\n%s", want, body)
		}
	}
}

// TestFaults checks that faults are set in a running server, and that one that cannot be read changes nothing.
func TestFaults(t *testing.T) {
	a, url, admin := server(t)
	crashed := false
	a.switches.crash = func() { crashed = true }
	for query, want := range map[string]int{"unready=true&errors=2": 400, "speed=1": 400, "latency=-1s": 400} {
		if code, body := ask(t, http.MethodPost, admin+"/faults?"+query); code != want {
			t.Errorf("%s: %d %s", query, code, body)
		}
	}
	if code, _ := ask(t, http.MethodGet, url+"/readyz"); code != http.StatusOK {
		t.Errorf("a refused change made it unready: %d", code)
	}
	var out bytes.Buffer
	env := environment("HELLO_ADMIN_ADDR=" + strings.TrimPrefix(admin, "http://"))
	if code := run(t.Context(), []string{"fault", "unready=true", "errors=1", "crash"}, env, &out, &out); code != 0 || !crashed {
		t.Errorf("exit code %d, crashed %v: %s", code, crashed, out.String())
	}
	for path, want := range map[string]int{"/readyz": 503, "/healthz": 200, "/": 500} {
		if code, body := ask(t, http.MethodGet, url+path); code != want {
			t.Errorf("%s: %d %s, want %d", path, code, body, want)
		}
	}
}

// TestLevels checks that a client's mistake is a warning in the log, and the server's an error.
func TestLevels(t *testing.T) {
	a, url, _ := server(t)
	var out bytes.Buffer
	a.log = slog.New(slog.NewTextHandler(&out, nil))
	ask(t, http.MethodGet, url+"/")
	ask(t, http.MethodGet, url+"/work")
	a.switches.now.Errors = 1
	ask(t, http.MethodGet, url+"/")
	var levels []string
	for line := range strings.Lines(out.String()) {
		levels = append(levels, strings.Fields(line)[1])
	}
	if diff := cmp.Diff([]string{"level=INFO", "level=WARN", "level=ERROR"}, levels); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSettings(t *testing.T) {
	for variable, want := range map[string]string{
		"HELLO_ERRORS=1.5":       `HELLO_ERRORS="1.5": want a share of the requests, from 0 to 1`,
		"HELLO_START_DELAY=soon": `HELLO_START_DELAY="soon": want a duration, such as 300ms or 10s`,
		"HELLO_MEMORY=64Mi":      `HELLO_MEMORY="64Mi": want a number of MiB`,
		"HELLO_DROP=maybe":       `HELLO_DROP="maybe": want true or false`,
		"HELLO_LOG_LEVEL=loud":   `HELLO_LOG_LEVEL="loud": want debug, info, warn or error`,
		"HELLO_LOG_FORMAT=xml":   `HELLO_LOG_FORMAT="xml": want text or json`,
	} {
		var out bytes.Buffer
		if code := run(t.Context(), nil, environment(variable), &out, &out); code != 1 || !strings.Contains(out.String(), want) {
			t.Errorf("%s: exit code %d: %s", variable, code, out.String())
		}
	}
}

// TestCounter checks that a count survives the server, and that a damaged one is not overwritten.
func TestCounter(t *testing.T) {
	dir := t.TempDir()
	for want := 1; want <= 2; want++ {
		c := counter{dir: dir}
		if got, err := c.next(); got != want || err != nil {
			t.Errorf("%d, %v, want %d", got, err, want)
		}
	}
	first, err := (&counter{dir: dir}).start()
	if again, _ := (&counter{dir: dir}).start(); again != first || err != nil {
		t.Errorf("it counts since %s, then since %s, %v", first, again, err)
	}
	memory := counter{}
	since, _ := memory.start()
	if again, _ := memory.start(); again != since || since == first {
		t.Errorf("in memory, it counts since %s, then since %s; on disk since %s", since, again, first)
	}
	if err := os.WriteFile(filepath.Join(dir, "count"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := counter{dir: dir}
	if _, err := c.next(); err == nil {
		t.Error("a damaged count was accepted")
	}
}

// TestLoad checks that each request is counted once, with its version and its failure.
func TestLoad(t *testing.T) {
	a, url, _ := server(t, "HELLO_VERSION=v3")
	a.switches.now.Errors = 1
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	read, write := io.Pipe()
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, []string{"load", "-rate=200", url}, environment(), write, io.Discard)
		write.Close()
	}()
	answers, failed := 0, 0
	for lines := json.NewDecoder(read); ; {
		var l line
		if lines.Decode(&l) != nil {
			break
		}
		answers, failed = answers+l.Answers["v3"], failed+l.Failed["status 500"]
		if answers > 0 {
			cancel()
		}
	}
	if code := <-done; code != 0 || answers == 0 || answers != failed {
		t.Errorf("exit code %d, %d answers, %d failed", code, answers, failed)
	}
}

// TestLoadLost checks that lost requests have their reason.
func TestLoadLost(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	g := &generator{url: closed.URL, client: http.DefaultClient}
	g.clear(time.Now())
	g.send()
	if diff := cmp.Diff(map[string]int{"refused": 1}, g.take(time.Now()).Failed); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCommands(t *testing.T) {
	_, url, _ := server(t)
	for args, want := range map[string]struct {
		code int
		says string
	}{
		"get " + url + "/version": {0, `"version": "v1"`},
		"get " + url + "/work":    {1, "400 Bad Request"},
		"get":                     {2, "Usage:"},
		"work -for=1ms":           {0, "done: "},
		"work -for=1ms -fail":     {1, "failed, as requested"},
		"work -long":              {2, "Usage:"},
		"load " + url + " " + url: {2, "Usage:"},
		"fault quick":             {2, "Usage:"},
		"help":                    {0, "Usage:"},
		"sleep":                   {2, "Usage:"},
	} {
		var out bytes.Buffer
		if code := run(t.Context(), strings.Fields(args), environment(), &out, &out); code != want.code || !strings.Contains(out.String(), want.says) {
			t.Errorf("%s: exit code %d, want %d: %s", args, code, want.code, out.String())
		}
	}
}

// TestServe checks that the server says when it is ready, and that it serves while it drains.
func TestServe(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	read, write := io.Pipe()
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, nil, environment("HELLO_ADDR=127.0.0.1:0", "HELLO_ADMIN_ADDR=127.0.0.1:0", "HELLO_LOG_FORMAT=json", "HELLO_DRAIN=1ms"), write, write)
		write.Close()
	}()
	var messages []string
	for lines := json.NewDecoder(read); ; {
		var l struct{ Msg string }
		if lines.Decode(&l) != nil {
			break
		}
		if messages = append(messages, l.Msg); l.Msg == "serving" {
			cancel()
		}
	}
	if diff := cmp.Diff([]string{"starting", "serving", "ending"}, messages); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if code := <-done; code != 0 {
		t.Errorf("exit code %d", code)
	}
}
