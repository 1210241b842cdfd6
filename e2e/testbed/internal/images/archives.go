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

// recipe makes an image archive, archives/NAME.tar, of one layer of files over Below.
type recipe struct {
	Name   string
	Needs  []string // programs in it
	Below  string   // the debian step whose root file system lies below, or none
	Files  []file
	Config config
	Tags   func(kubeadm names) []string
}

// names are the images that kubeadm asks for, full names by short ("kube-proxy", "coredns/coredns", "pause", "etcd").
type names map[string]string

// kubeadmImages asks kubeadm for the images of a control plane.
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
	needs := append([]string{"lab-node"}, r.Needs...)
	if r.Below != "" {
		needs = append(needs, r.Below)
	}
	return steps.Step{
		Name: "image-" + r.Name, Lane: "archive", Needs: needs,
		Inputs:  func() (string, error) { return steps.Digest(fmt.Sprintf("%+v %+v", r.Files, r.Config)), nil },
		Present: func(context.Context, string) bool { return exists(archive) },
		Make: func(ctx context.Context, _ string, _ io.Writer) (string, error) {
			kubeadm, err := kubeadmImages(ctx, filepath.Join(dir, "bin"))
			if err != nil {
				return "", err
			}
			layer, err := writeLayer(dir, "image-"+r.Name, r.Files)
			if err != nil {
				return "", err
			}
			img := image{Tags: r.Tags(kubeadm), Config: r.Config, Layers: []string{layer}}
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

// writeLayer writes files to layers/NAME.tar.
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

// clusterImages are the images that every node holds from the start.
func clusterImages(bin string) []recipe {
	kube := []file{program(bin, "lab-node", "/usr/local/bin")}
	for _, name := range programs.KubernetesPrograms() {
		kube = append(kube, file{Path: "/usr/local/bin/" + name, Link: "lab-node"})
	}
	for _, name := range []string{"iptables", "iptables-save", "iptables-restore", "ip6tables", "ip6tables-save", "ip6tables-restore"} {
		kube = append(kube, file{Path: "/usr/sbin/" + name, Link: "xtables-nft-multi"}) // Debian's alternatives, not run here
	}
	env := []string{searchPath}
	return []recipe{
		{Name: "kube", Below: "proxy-root", Files: kube, Config: config{Env: env},
			Tags: func(n names) []string {
				return []string{n["kube-apiserver"], n["kube-controller-manager"], n["kube-scheduler"], n["kube-proxy"]}
			}},
		{Name: "etcd", Needs: []string{"etcd"}, Files: []file{program(bin, "etcd", "/usr/local/bin")},
			Config: config{Env: env}, Tags: func(n names) []string { return []string{n["etcd"]} }},
		{Name: "coredns", Needs: []string{"coredns"}, Files: []file{program(bin, "coredns", "/")},
			Config: config{Entrypoint: []string{"/coredns"}}, Tags: func(n names) []string { return []string{n["coredns/coredns"]} }},
		{Name: "storage-provisioner", Needs: []string{"storage-provisioner"}, Files: []file{program(bin, "storage-provisioner", "/")},
			Config: config{Entrypoint: []string{"/storage-provisioner"}},
			Tags:   func(names) []string { return []string{"gcr.io/k8s-minikube/storage-provisioner:v5"} }},
		{Name: "pause", Needs: []string{"own"}, Files: []file{program(bin, "pause", "/")},
			Config: config{Entrypoint: []string{"/pause"}}, Tags: func(n names) []string { return []string{n["pause"]} }},
	}
}

// Hello is the image of the web server that tests run.
const Hello = "lab-testbed/hello:v1"

func workloadImages(bin string) []recipe {
	return []recipe{
		{Name: "hello", Needs: []string{"own"}, Files: []file{program(bin, "hello", "/")},
			Config: config{Entrypoint: []string{"/hello"}}, Tags: func(names) []string { return []string{Hello} }},
	}
}
