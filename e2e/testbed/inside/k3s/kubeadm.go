//go:build linux

package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sigs.k8s.io/yaml"
)

const (
	podCIDR     = "10.42.0.0/16" // k3s's defaults
	serviceCIDR = "10.43.0.0/16"
	dnsAddress  = "10.43.0.10"
	adminConfig = "/etc/kubernetes/admin.conf"
	userConfig  = "/etc/rancher/k3s/k3s.yaml"
	manifests   = "/var/lib/rancher/k3s/server/manifests"
)

type object = map[string]any

// bootstrap creates the cluster or joins it, unless this node did so before a restart.
func (n *node) bootstrap(ctx context.Context) error {
	if _, err := os.Stat("/etc/kubernetes/kubelet.conf"); err != nil {
		command, documents := "join", n.joinConfig()
		if n.server && n.url == "" {
			command, documents = "init", n.initConfig()
		}
		if err := n.kubeadm(ctx, command, documents); err != nil {
			return err
		}
	} else if n.server {
		say("Running kube-apiserver") // k3d waits for this line before it starts the other servers again
	}
	if !n.server {
		return nil
	}
	return n.serverReady(ctx)
}

func (n *node) kubeadm(ctx context.Context, command string, documents []object) error {
	var config strings.Builder
	for _, document := range documents {
		data, err := yaml.Marshal(document)
		if err != nil {
			return err
		}
		config.WriteString("---\n" + string(data))
	}
	const path = "/run/kubeadm.yaml"
	if err := os.WriteFile(path, []byte(config.String()), 0o600); err != nil {
		return err
	}
	args := []string{command, "--config=" + path, "--ignore-preflight-errors=all"}
	if command == "init" {
		args = append(args, "--skip-phases=addon/coredns", "--upload-certs")
		say("Running kube-apiserver") // k3d waits for this line before it starts the other servers
		return execute(ctx, nil, "kubeadm", args...)
	}
	// The server may still be starting, or adding another member to its etcd.
	return poll(ctx, 4*time.Minute, func() error { return execute(ctx, nil, "kubeadm", args...) })
}

// serverReady waits for the API server, and does what k3s does before it reports that it is running.
func (n *node) serverReady(ctx context.Context) error {
	kubectl := func(args ...string) error {
		return execute(ctx, nil, "kubectl", append([]string{"--kubeconfig=" + adminConfig}, args...)...)
	}
	// Without kubectl, because a process per query would slow down the start of the server.
	ready, err := readyz("https://127.0.0.1:6443/readyz", "/etc/kubernetes/pki/ca.crt")
	if err != nil {
		return err
	}
	if err := poll(ctx, 2*time.Minute, func() error { return ready(ctx) }); err != nil {
		return err
	}
	if err := writeUserConfig(); err != nil {
		return err
	}
	if err := poll(ctx, time.Minute, func() error {
		return kubectl("label", "node", n.name, "--overwrite", "node-role.kubernetes.io/control-plane=true")
	}); err != nil {
		return err
	}
	for _, name := range []string{"nodes", "coredns", "local-storage"} {
		if n.flags.disabled(name) {
			continue
		}
		if err := writeManifest(name + ".yaml"); err != nil {
			return err
		}
		if n.url != "" {
			continue // the first server has applied it, and k3d may have changed it
		}
		if err := kubectl("apply", "--filename="+filepath.Join(manifests, name+".yaml")); err != nil {
			return err
		}
	}
	// A joining agent checks once whether its token is signed, and again only five seconds later.
	id, _, _ := strings.Cut(bootstrapToken(n.token), ".")
	return kubectl("wait", "--namespace=kube-public", "configmap/cluster-info", "--for=jsonpath={.data.jws-kubeconfig-"+id+"}", "--timeout=60s")
}

// readyz returns a function that checks whether an API server is ready.
func readyz(url, authority string) (func(context.Context) error, error) {
	pem, err := os.ReadFile(authority)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	client := &http.Client{Timeout: 5 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true}}
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("%s: %s", url, response.Status)
		}
		return nil
	}, nil
}

func (n *node) initConfig() []object {
	endpoint := n.name + ":6443" // a name, because the address may change
	return []object{
		{"apiVersion": "kubeadm.k8s.io/v1beta4", "kind": "InitConfiguration",
			"bootstrapTokens":  []any{object{"token": bootstrapToken(n.token), "ttl": "0s"}},
			"certificateKey":   certificateKey(n.token),
			"nodeRegistration": n.registration()},
		{"apiVersion": "kubeadm.k8s.io/v1beta4", "kind": "ClusterConfiguration",
			"kubernetesVersion": version(), "controlPlaneEndpoint": endpoint,
			"networking": object{"podSubnet": podCIDR, "serviceSubnet": serviceCIDR},
			"apiServer": object{"certSANs": append([]string{"127.0.0.1", "localhost", n.name}, n.flags["tls-san"]...),
				"extraArgs": extraArgs(n.flags["kube-apiserver-arg"])},
			"controllerManager": object{"extraArgs": extraArgs(n.flags["kube-controller-manager-arg"])},
			"scheduler":         object{"extraArgs": extraArgs(n.flags["kube-scheduler-arg"])}},
		{"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
			"failCgroupV1": false, "cgroupDriver": "cgroupfs", "clusterDNS": []string{dnsAddress}, "failSwapOn": false,
			"evictionHard": object{"imagefs.available": "5%", "nodefs.available": "5%"}}, // k3s's values; the disk is the host's
		// A container may not set these limits of the kernel.
		{"apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration",
			"conntrack": object{"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"}},
	}
}

func (n *node) joinConfig() []object {
	endpoint := strings.TrimPrefix(n.url, "https://")
	if u, err := url.Parse(n.url); err == nil && u.Host != "" {
		endpoint = u.Host
	}
	join := object{"apiVersion": "kubeadm.k8s.io/v1beta4", "kind": "JoinConfiguration",
		"nodeRegistration": n.registration(),
		"discovery": object{"bootstrapToken": object{"token": bootstrapToken(n.token), "apiServerEndpoint": endpoint,
			// The token is the only secret that k3d passes to a node.
			"unsafeSkipCAVerification": true}}}
	if n.server {
		join["controlPlane"] = object{"certificateKey": certificateKey(n.token)}
	}
	return []object{join}
}

func (n *node) registration() object {
	taints := []any{} // k3s's servers run pods
	for _, taint := range n.flags["node-taint"] {
		pair, effect, _ := strings.Cut(taint, ":")
		key, value, _ := strings.Cut(pair, "=")
		taints = append(taints, object{"key": key, "value": value, "effect": effect})
	}
	return object{"name": n.name, "criSocket": "unix:///run/containerd/containerd.sock", "taints": taints}
}

func extraArgs(args []string) []any {
	list := []any{}
	for _, arg := range args {
		name, value, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		list = append(list, object{"name": name, "value": value})
	}
	return list
}

// bootstrapToken converts k3s's token, which may be any text, to a token of kubeadm. certificateKey returns the key
// with which further servers fetch the certificates.
func bootstrapToken(token string) string {
	sum := certificateKey("token " + token)
	return sum[:6] + "." + sum[6:22]
}

func certificateKey(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// version returns the version of the kubelet in the image.
func version() string {
	data, err := os.ReadFile("/usr/local/lib/k3s/kubernetes-version")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

// writeUserConfig writes kubeadm's kubeconfig as k3s does: every name is "default", and the server is local.
func writeUserConfig() error {
	data, err := os.ReadFile(adminConfig)
	if err != nil {
		return err
	}
	var config struct {
		Clusters []struct {
			Cluster map[string]string `json:"cluster"`
		} `json:"clusters"`
		Users []struct {
			User map[string]string `json:"user"`
		} `json:"users"`
	}
	if err := yaml.Unmarshal(data, &config); err != nil || len(config.Clusters) == 0 || len(config.Users) == 0 {
		return fmt.Errorf("%s: %v", adminConfig, err)
	}
	cluster := config.Clusters[0].Cluster
	cluster["server"] = "https://127.0.0.1:6443"
	data, err = yaml.Marshal(object{"apiVersion": "v1", "kind": "Config", "current-context": "default",
		"clusters": []any{object{"name": "default", "cluster": cluster}},
		"users":    []any{object{"name": "default", "user": config.Users[0].User}},
		"contexts": []any{object{"name": "default", "context": object{"cluster": "default", "user": "default"}}}})
	if err != nil {
		return err
	}
	for _, path := range []string{userConfig, os.Getenv("K3S_KUBECONFIG_OUTPUT")} {
		if path == "" {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			return err
		}
	}
	return nil
}
