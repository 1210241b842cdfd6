//go:build e2e && unix

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"net/url"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/e2e/internal/session"
)

// TestOpen opens an addon without a published port. The URL that lab prints must lead to the pod. Ctrl-C must end
// `lab open`, and so must the first request after the pod is deleted, with an error.
func TestOpen(t *testing.T) {
	takesLong(t)
	eachFlavor(t, func(t *testing.T, bed *bed, f flavor) {
		p, name := newUser(t, bed), session.RandomName()
		t.Cleanup(func() {
			if t.Failed() {
				_ = p.lab(context.Background(), "down", name).Run()
			}
		})
		p.Must("up", name, "--flavor", f.name, "--addon", "hello")

		opened := p.open(t, name)
		opened.answers(t)
		opened.send(t, syscall.SIGINT)
		if code := opened.wait(t); code != 0 && code != 130 {
			t.Errorf("exit code %d after the interrupt:\n%s", code, opened.stderr.String())
		}
		if conn, err := net.DialTimeout("tcp", "127.0.0.1:"+strconv.Itoa(opened.port), time.Second); err == nil {
			_ = conn.Close()
			t.Errorf("port %d is still open", opened.port)
		}

		opened = p.open(t, name)
		opened.answers(t)
		p.kubectl("delete", "pods", "--all", "--namespace=hello")
		if err := opened.ask(t.Context()); err == nil {
			t.Error("a deleted pod answers")
		}
		if code := opened.wait(t); code != 1 || !bytes.Contains(opened.stderr.Bytes(), []byte("hint: lab status "+name)) {
			t.Errorf("exit code %d without the pod:\n%s", code, opened.stderr.String())
		}
		p.Must("down", name)
		p.checkNothing(name)
	})
}

// opening is a running `lab open` that forwards a port.
type opening struct {
	port   int
	stderr bytes.Buffer
	send   func(*testing.T, syscall.Signal)
	wait   func(*testing.T) (code int)
}

// open runs `lab open hello`, and returns when lab has printed a URL.
func (p *user) open(t *testing.T, name string) *opening {
	t.Helper()
	o := &opening{}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	cmd := p.lab(ctx, "open", "hello", "--name", name, "--no-browser")
	cmd.Stderr = &o.stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	o.send = func(t *testing.T, s syscall.Signal) {
		if err := syscall.Kill(-cmd.Process.Pid, s); err != nil {
			t.Error(err)
		}
	}
	o.wait = func(t *testing.T) int {
		_ = cmd.Wait() // the exit code is checked below
		if ctx.Err() != nil {
			t.Error("lab open does not end")
		}
		return cmd.ProcessState.ExitCode()
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatalf("exit code %d without a URL:\n%s", o.wait(t), o.stderr.String())
	}
	at, err := url.Parse(lines.Text())
	if err == nil && at.Hostname() != "127.0.0.1" {
		t.Errorf("the URL is %s", at)
	}
	if err == nil {
		o.port, err = strconv.Atoi(at.Port())
	}
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// answers sends two requests: a connection must serve more than one.
func (o *opening) answers(t *testing.T) {
	t.Helper()
	for range 2 {
		if err := o.ask(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func (o *opening) ask(ctx context.Context) error {
	return answers(ctx, o.port, "127.0.0.1", "/path", "hello v1 from hello-")
}
