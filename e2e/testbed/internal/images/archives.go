package images

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/clusterlab-dev/lab/e2e/testbed/internal/programs"
	"github.com/clusterlab-dev/lab/e2e/testbed/internal/shell"
	"github.com/clusterlab-dev/lab/e2e/testbed/internal/steps"
)

// recipe describes an image archive, archives/NAME.tar, with one layer of files over Below.
type recipe struct {
	Name   string
	Needs  []string // its programs
	Below  string   // the debian step with the root file system below, or none
	Files  []file
	Config config
	Tags   []string
	Kube   []string // further tags: kubeadm's names of these parts of Kubernetes
}

// names maps the short names of the images that kubeadm needs to full names ("kube-proxy", "coredns/coredns",
// "pause", "etcd").
type names map[string]string

// kubeadmImages returns kubeadm's list of the images of a control plane.
func kubeadmImages(ctx context.Context, bin string) (names, error) {
	out, err := shell.Cmd{}.Output(ctx, filepath.Join(bin, "kubeadm"), "config", "images", "list",
		"--kubernetes-version", programs.Kubernetes)
	if err != nil {
		return nil, err
	}
	all := names{}
	for name := range strings.FieldsSeq(out) {
		short := strings.TrimPrefix(name, "registry.k8s.io/")
		short, _, _ = strings.Cut(short, ":")
		all[short] = name
	}
	return all, nil
}

func (r recipe) step(dir string) steps.Step {
	archive := filepath.Join(dir, "archives", r.Name+".tar")
	needs := r.Needs
	if len(r.Kube) > 0 {
		needs = append([]string{"lab-node"}, needs...)
	}
	if r.Below != "" {
		needs = append(needs, r.Below)
	}
	return steps.Step{
		Name: "image-" + r.Name, Lane: "archive", Needs: needs,
		Inputs: func() (string, error) {
			return steps.Digest(fmt.Sprintf("%+v %+v %v %v", r.Files, r.Config, r.Tags, r.Kube)), nil
		},
		Present: func(context.Context, string) bool { return exists(archive) },
		Make: func(ctx context.Context, _ string, _ io.Writer) (string, error) {
			tags := r.Tags
			if len(r.Kube) > 0 {
				kubeadm, err := kubeadmImages(ctx, filepath.Join(dir, "bin"))
				if err != nil {
					return "", err
				}
				for _, part := range r.Kube {
					tags = append(tags, kubeadm[part])
				}
			}
			layer, err := writeLayer(dir, "image-"+r.Name, r.Files)
			if err != nil {
				return "", err
			}
			img := image{Tags: tags, Config: r.Config, Layers: []string{layer}}
			img.Config.Labels = map[string]string{label: "archive"} // Prune finds it by the label
			if r.Below != "" {
				img.Layers = []string{filepath.Join(dir, "layers", r.Below+".tar"), layer}
			}
			if err := os.MkdirAll(filepath.Dir(archive), 0o755); err != nil {
				return "", err
			}
			if err := img.save(archive); err != nil {
				return "", err
			}
			return digest(archive)
		},
	}
}

func writeLayer(dir, name string, files []file) (string, error) {
	path := filepath.Join(dir, "layers", name+".tar")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	out, err := os.Create(path)
	if err != nil {
		return "", err
	}
	defer out.Close()
	return path, writeTree(out, files)
}

// smallLinks are the links that Debian's package scripts would create. The scripts do not run here.
func smallLinks() []file {
	files := []file{{Path: "/bin/sh", Link: "bash"}}
	for _, name := range []string{"iptables", "iptables-save", "iptables-restore", "ip6tables", "ip6tables-save", "ip6tables-restore"} {
		files = append(files, file{Path: "/usr/sbin/" + name, Link: "xtables-nft-multi"})
	}
	return files
}

// clusterImages returns the images that every node contains.
func clusterImages(bin string) []recipe {
	kube := append(smallLinks(), program(bin, "lab-node", "/usr/local/bin"))
	for _, name := range programs.KubernetesPrograms() {
		kube = append(kube, file{Path: "/usr/local/bin/" + name, Link: "lab-node"})
	}
	path := config{Env: []string{searchPath}}
	return []recipe{
		{Name: "kube", Below: "small-root", Files: kube, Config: path,
			Kube: []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy"}},
		{Name: "node-network", Needs: []string{"own-node-network"}, Below: "small-root",
			Files:  append(smallLinks(), program(bin, "node-network", "/usr/local/bin")),
			Config: config{Env: path.Env, Entrypoint: []string{"node-network"}},
			Tags:   []string{"lab-testbed/node-network:v1", "docker.io/kindest/kindnetd:v20260213-ea8e5717"}}, // the second name is minikube's
		{Name: "etcd", Needs: []string{"etcd"}, Files: []file{program(bin, "etcd", "/usr/local/bin")}, Config: path,
			Kube: []string{"etcd"}},
		scratch(bin, "coredns", "coredns").as("coredns/coredns"),
		scratch(bin, "pause", "own-pause").as("pause"),
		scratch(bin, "storage-provisioner", "own-storage-provisioner", "gcr.io/k8s-minikube/storage-provisioner:v5"),
		scratch(bin, "metrics-server", "metrics-server", MetricsServer),
		ingressImage(bin),
		helloImage(bin),
	}
}

// scratch returns the recipe of an image with one static program.
func scratch(bin, name, need string, tags ...string) recipe {
	return recipe{Name: name, Needs: []string{need}, Files: []file{program(bin, name, "/")},
		Config: config{Entrypoint: []string{"/" + name}}, Tags: tags}
}

// as adds kubeadm's name of a part of Kubernetes to the image.
func (r recipe) as(part string) recipe {
	r.Kube = append(r.Kube, part)
	return r
}

func ingressImage(bin string) recipe { return scratch(bin, "ingress", "own-ingress", Ingress) }

// helloImage is in every node and in the Docker Engine.
func helloImage(bin string) recipe { return scratch(bin, "hello", "own-hello", Hello) }

func helloNewImage(bin string) recipe {
	r := scratch(bin, "hello", "own-hello", HelloNew)
	r.Name, r.Config.Env = "hello-v2", []string{"HELLO_VERSION=v2"}
	return r
}

// The images of workloads and of containers next to the nodes.
const (
	Hello         = "lab-testbed/hello:v1"                                              // in every node
	HelloNew      = "lab-testbed/hello:v2"                                              // only in the Docker Engine, for tests that load an image into a cluster
	Ingress       = "lab-testbed/ingress:v1"                                            // in every node
	MetricsServer = "registry.k8s.io/metrics-server/metrics-server:" + programs.Metrics // in every node, with its published name
	VictoriaLogs  = "victoriametrics/victoria-logs:" + programs.Logs                    // only in the Docker Engine, with its published name
	LogsAgent     = "victoriametrics/vlagent:" + programs.Logs                          // likewise
	Registry      = "lab-testbed/registry:" + programs.Registry
	K3dProxy      = "lab-testbed/k3d-proxy:" + programs.K3d
	K3dTools      = "lab-testbed/k3d-tools:" + programs.K3d
)

// hostImages returns the images that are loaded into the Docker Engine.
func hostImages(bin string) []recipe {
	proxy := append(smallLinks(), program(bin, "tcp-proxy", "/usr/local/bin"), file{Path: "/usr/local/bin/envoy", Link: "tcp-proxy"})
	return []recipe{
		helloNewImage(bin),
		scratch(bin, "victoria-logs", "victoria-logs", VictoriaLogs),
		scratch(bin, "vlagent", "victoria-logs", LogsAgent),
		{Name: "registry", Needs: []string{"registry"}, Tags: []string{Registry, "registry:3"},
			Files:  []file{program(bin, "registry", "/"), {Path: "/etc/distribution/config.yml", Content: registryConfig}},
			Config: config{Entrypoint: []string{"/registry"}, Cmd: []string{"serve", "/etc/distribution/config.yml"}}},
		// kind runs a shell script in the container of its proxy.
		{Name: "tcp-proxy", Needs: []string{"own-tcp-proxy"}, Below: "small-root", Files: proxy,
			Config: config{Env: []string{searchPath}, Cmd: []string{"tcp-proxy"}},
			Tags:   []string{K3dProxy, "envoyproxy/envoy:v1.36.2"}},
		// k3d's tools container must run until k3d removes it, as pause does.
		{Name: "k3d-tools", Needs: []string{"own-pause"}, Files: []file{program(bin, "pause", "/")},
			Config: config{Entrypoint: []string{"/pause"}}, Tags: []string{K3dTools}},
	}
}

const registryConfig = `version: 0.1
storage:
  delete: {enabled: true}
  filesystem: {rootdirectory: /var/lib/registry}
http:
  addr: :5000
`
