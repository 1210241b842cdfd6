package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

func (a *app) greet(w http.ResponseWriter, r *http.Request) {
	greeting := a.Message
	if a.flags()["loud"] {
		greeting = strings.ToUpper(greeting) + "!"
	}
	fmt.Fprintf(w, "%s %s from %s: %s\n", greeting, a.Version, a.Pod, r.URL.Path)
}

func (a *app) showVersion(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, map[string]string{"version": a.Version, "pod": a.Pod, "node": a.Node})
}

// showConfig shows what the server was configured with. It shows only the length of the password.
func (a *app) showConfig(w http.ResponseWriter, _ *http.Request) {
	files, err := a.files()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	writeJSON(w, map[string]any{"message": a.Message, "passwordLength": len(a.Password), "files": files})
}

func (a *app) showFlags(w http.ResponseWriter, _ *http.Request) { writeJSON(w, a.flags()) }

// mostOfFile bounds how much of a file is shown, in bytes.
const mostOfFile = 4096

// files returns the files of the directory of configuration. They are read again for each request, because the kubelet
// updates them when a ConfigMap changes.
func (a *app) files() (map[string]string, error) {
	files := map[string]string{}
	if a.ConfigDir == "" {
		return files, nil
	}
	entries, err := os.ReadDir(a.ConfigDir)
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), "..") {
			continue // the kubelet's own links
		}
		text, err := os.ReadFile(filepath.Join(a.ConfigDir, entry.Name()))
		if err == nil {
			files[entry.Name()] = string(text[:min(len(text), mostOfFile)])
		}
	}
	return files, nil
}

// flags returns the feature flags of the environment, and those of the file "flags" over them.
func (a *app) flags() map[string]bool {
	flags := map[string]bool{}
	text := a.Flags
	if a.ConfigDir != "" {
		if file, err := os.ReadFile(filepath.Join(a.ConfigDir, "flags")); err == nil {
			text += "," + string(file)
		}
	}
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == '\n' || r == ' ' }) {
		name, value, ok := strings.Cut(part, "=")
		on, err := strconv.ParseBool(value)
		flags[name] = !ok || err == nil && on
	}
	return flags
}

func (a *app) showCount(w http.ResponseWriter, _ *http.Request) {
	n, err := a.count.next()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	fmt.Fprintln(w, n)
}

func (a *app) showSince(w http.ResponseWriter, _ *http.Request) {
	since, err := a.count.start()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	fmt.Fprintln(w, since)
}

// mostWork bounds the work of one request.
const mostWork = 10 * time.Second

// showWork uses a processor for as long as the request says.
func (a *app) showWork(w http.ResponseWriter, r *http.Request) {
	ms, err := strconv.Atoi(r.URL.Query().Get("ms"))
	if err != nil || ms < 0 {
		http.Error(w, "want /work?ms=MILLISECONDS", http.StatusBadRequest)
		return
	}
	rounds := 0
	for end := time.Now().Add(min(time.Duration(ms)*time.Millisecond, mostWork)); time.Now().Before(end) && r.Context().Err() == nil; {
		rounds++
	}
	fmt.Fprintf(w, "worked for %d ms in %d rounds\n", ms, rounds)
}

// counter counts in a file, or in memory if it has no directory. It is safe for concurrent use.
type counter struct {
	dir   string
	mu    sync.Mutex
	n     int
	since string
}

// next returns the next number. The file is replaced atomically: a pod may be killed at any time.
func (c *counter) next() (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dir == "" {
		c.n++
		return c.n, nil
	}
	path := filepath.Join(c.dir, "count")
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	n := 0
	if err == nil {
		if n, err = strconv.Atoi(strings.TrimSpace(string(text))); err != nil {
			return 0, fmt.Errorf("%s is not a number: %q", path, text)
		}
	}
	return n + 1, replace(path, strconv.Itoa(n+1))
}

// start returns when the counter was first asked for it. A new counter has a new time.
func (c *counter) start() (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now().UTC().Format(time.RFC3339Nano)
	if c.dir == "" {
		c.since = cmp.Or(c.since, now)
		return c.since, nil
	}
	path := filepath.Join(c.dir, "since")
	text, err := os.ReadFile(path)
	switch {
	case err == nil:
		return strings.TrimSpace(string(text)), nil
	case errors.Is(err, fs.ErrNotExist):
		return now, replace(path, now)
	}
	return "", err
}

// replace writes a line to a file, which has the old or the new content at any time.
func replace(path, line string) error {
	temporary := path + ".new"
	if err := os.WriteFile(temporary, []byte(line+"\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}
