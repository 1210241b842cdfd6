package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/dir"
)

// asEngine, in the environment, makes the test binary be lab-engine: what is
// tested is what was just compiled, in a separate process that can be killed.
const asEngine = "LAB_TEST_AS_ENGINE"

func TestMain(m *testing.M) {
	if os.Getenv(asEngine) != "" {
		os.Exit(run(os.Args, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// cluster is a directory with an engine that comes and goes.
type cluster struct {
	t   testing.TB
	dir string
	cmd *exec.Cmd // nil while none runs
}

// newCluster makes the directory that an adapter would make, deep enough for the
// path of a socket in it to be too long for any system.
func newCluster(t testing.TB, workers int) *cluster {
	t.Helper()
	c := &cluster{t: t, dir: filepath.Join(t.TempDir(), strings.Repeat("deep", 25), strings.Repeat("deeper", 20))}
	if err := os.MkdirAll(filepath.Join(c.dir, dir.Logs), 0o700); err != nil {
		t.Fatal(err)
	}
	config, err := json.Marshal(dir.Config{APIVersion: "lab/v1alpha1", Kind: "EngineConfig", Name: "demo", ControlPlane: "demo-control-plane", Workers: workers})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(c.path(dir.ConfigFile), config, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if c.cmd != nil {
			c.kill()
		}
		if t.Failed() {
			t.Logf("panic.log:\n%s\nengine.log ends:\n%s", c.tail("logs/panic.log"), c.tail(dir.LogFile))
		}
	})
	return c
}

// configure adds a configuration to that of the directory.
func (c *cluster) configure(native string) {
	c.t.Helper()
	var config dir.Config
	raw, err := os.ReadFile(c.path(dir.ConfigFile))
	if err := errors.Join(err, json.Unmarshal(raw, &config)); err != nil {
		c.t.Fatal(err)
	}
	config.Native = native
	raw, err = json.Marshal(config)
	if err := errors.Join(err, os.WriteFile(c.path(dir.ConfigFile), raw, 0o600)); err != nil {
		c.t.Fatal(err)
	}
}

// as is the same cluster, used by a subtest.
func (c *cluster) as(t *testing.T) *cluster {
	return &cluster{t: t, dir: c.dir, cmd: c.cmd}
}

func (c *cluster) path(name string) string { return filepath.Join(c.dir, name) }

func (c *cluster) tail(name string) string {
	raw, _ := os.ReadFile(c.path(name))
	return string(raw[max(0, len(raw)-4000):])
}

// engine returns lab-engine with arguments, not started.
func (c *cluster) engine(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asEngine+"=1", "HOME="+c.t.TempDir(), "KUBECONFIG="+c.path(dir.KubeconfigFile))
	return cmd
}

// serve starts the engine and waits until it is ready. It returns what the engine
// reported, and fails the test where it never was.
func (c *cluster) serve() []message {
	c.t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		c.t.Fatal(err)
	}
	defer read.Close()
	said, err := os.OpenFile(c.path("logs/panic.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		c.t.Fatal(err)
	}
	defer said.Close()
	c.cmd = c.engine("serve", "--dir", c.dir, "--report-fd", "3")
	c.cmd.ExtraFiles, c.cmd.Stdout, c.cmd.Stderr = []*os.File{write}, said, said
	if err := c.cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	write.Close()

	var messages []message
	for lines := bufio.NewScanner(read); lines.Scan(); {
		var m message
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			c.t.Fatalf("reported %q: %v", lines.Text(), err)
		}
		messages = append(messages, m)
	}
	if len(messages) == 0 || !messages[len(messages)-1].Ready {
		c.t.Fatalf("never ready: %+v", messages)
	}
	return messages
}

// stop asks the engine to end, and waits until it has. The engine must do so soon
// and call it a success.
func (c *cluster) stop() {
	c.t.Helper()
	begun := time.Now()
	c.cmd.Process.Signal(syscall.SIGTERM)
	if err := c.cmd.Wait(); err != nil {
		c.t.Errorf("after SIGTERM: %v", err)
	}
	c.cmd = nil
	if took := time.Since(begun); took > 10*time.Second {
		c.t.Errorf("took %v to stop", took)
	}
}

// kill ends the engine as a power cut would.
func (c *cluster) kill() {
	c.cmd.Process.Kill()
	c.cmd.Wait()
	c.cmd = nil
}

func (c *cluster) status() dir.Status {
	c.t.Helper()
	var s dir.Status
	raw, err := os.ReadFile(c.path(dir.StatusFile))
	if err := errors.Join(err, json.Unmarshal(raw, &s)); err != nil {
		c.t.Fatal(err)
	}
	return s
}

func (c *cluster) client() *kubernetes.Clientset {
	c.t.Helper()
	client, err := kubernetes.NewForConfig(c.restConfig())
	if err != nil {
		c.t.Fatal(err)
	}
	return client
}

func (c *cluster) restConfig() *rest.Config {
	c.t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", c.path(dir.KubeconfigFile))
	if err != nil {
		c.t.Fatal(err)
	}
	config.QPS = -1
	return config
}

// kubectl runs the engine's kubectl and returns all that it says.
func (c *cluster) kubectl(args ...string) (string, error) {
	out, err := c.engine(append([]string{"kubectl"}, args...)...).CombinedOutput()
	return string(out), err
}

// eventually waits until check is content. check returns what is still missing.
func (c *cluster) eventually(within time.Duration, check func(context.Context) error) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), within)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var last error // what was missing, not that time ran out while asking
	for {
		err := check(ctx)
		if err == nil {
			return
		}
		if ctx.Err() == nil || last == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			c.t.Fatalf("within %v: %v", within, last)
		case <-tick.C:
		}
	}
}

func missing(format string, args ...any) error { return fmt.Errorf(format, args...) }
