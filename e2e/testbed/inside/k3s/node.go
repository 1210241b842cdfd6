//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/clusterlab-dev/lab/e2e/testbed/inside/internal/nodenet"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// node is the node of this process.
type node struct {
	name   string
	server bool
	url    string // of the server to join, if any
	token  string // k3s's token: any text
	flags  flags
}

func newNode(command string, args []string) (*node, error) {
	name, err := os.Hostname()
	n := &node{name: name, server: command == "server", url: os.Getenv("K3S_URL"), token: os.Getenv("K3S_TOKEN"), flags: parse(args)}
	if token := n.flags.last("token"); token != "" {
		n.token = token
	}
	if url := n.flags.last("server"); url != "" {
		n.url = url
	}
	if !n.server && n.url == "" {
		return nil, fmt.Errorf("agent: --server or K3S_URL is required")
	}
	return n, err
}

// run creates or starts the node, and keeps it running until ctx ends.
func (n *node) run(ctx context.Context) error {
	if err := execute(ctx, nil, "mount", "--make-rshared", "/"); err != nil { // for the volumes of pods
		return err
	}
	if err := n.prepare(); err != nil {
		return err
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	wg.Go(func() { keep(ctx, nil, func() *exec.Cmd { return exec.Command("containerd") }) })
	if err := poll(ctx, time.Minute, func() error { return execute(ctx, nil, "ctr", "version") }); err != nil {
		return fmt.Errorf("containerd: %w", err)
	}
	say("Containerd is now running")
	wg.Go(func() { keep(ctx, configured, n.kubelet) })
	if err := n.bootstrap(ctx); err != nil {
		return err
	}
	client, err := n.client()
	if err != nil {
		return err
	}
	network := nodenet.Node{Name: n.name, Cluster: podCIDR, Dir: "/etc/cni/net.d", Log: os.Stderr}
	wg.Go(func() { complain(network.Run(ctx, client)) })
	if !n.flags.disabled("servicelb") {
		balancer := balancer{node: n.name, client: client, publish: n.server && n.url == ""}
		wg.Go(func() { complain(balancer.run(ctx)) })
	}
	if n.server {
		applied := manifestTimes() // before k3d may change them
		wg.Go(func() { applyManifests(ctx, applied) })
	}
	n.announce()
	<-ctx.Done()
	return nil
}

// announce prints the log lines for which k3d waits.
func (n *node) announce() {
	if !n.server {
		say("Successfully registered node " + n.name)
		return
	}
	say("k3s is up and running")
	say("Cluster dns configmap has been set successfully")
}

// client returns a client with the node's identity, which may read nodes and services; on a server with that of the
// admin.
func (n *node) client() (kubernetes.Interface, error) {
	path := "/etc/kubernetes/kubelet.conf"
	if n.server {
		path = adminConfig
	}
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		return nil, err
	}
	return kubernetes.NewForConfig(config)
}

// kubelet returns the command of kubeadm's systemd unit.
func (n *node) kubelet() *exec.Cmd {
	args := []string{"--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf", "--kubeconfig=/etc/kubernetes/kubelet.conf",
		"--config=" + kubeletConfig, "--fail-cgroupv1=false"}
	if data, err := os.ReadFile("/var/lib/kubelet/kubeadm-flags.env"); err == nil {
		_, value, _ := strings.Cut(strings.TrimSpace(string(data)), "=")
		args = append(args, strings.Fields(strings.Trim(value, `"`))...)
	}
	for _, arg := range n.flags["kubelet-arg"] {
		args = append(args, "--"+strings.TrimPrefix(arg, "--"))
	}
	if labels := n.flags["node-label"]; len(labels) > 0 {
		args = append(args, "--node-labels="+strings.Join(labels, ","))
	}
	return exec.Command("kubelet", args...)
}

const kubeletConfig = "/var/lib/kubelet/config.yaml"

func configured() bool {
	_, err := os.Stat(kubeletConfig)
	return err == nil
}

// keep restarts a program when it ends, while ready returns true, and stops it with ctx.
func keep(ctx context.Context, ready func() bool, command func() *exec.Cmd) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		if ready == nil || ready() {
			cmd := command()
			cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
			cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
			if err := cmd.Start(); err != nil {
				complain(err)
			} else {
				end := context.AfterFunc(ctx, func() { _ = cmd.Process.Signal(syscall.SIGTERM) })
				complain(cmd.Wait())
				end()
			}
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}
