//go:build !windows

package minikube

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/docker/dockertest"
	"github.com/clusterlab-dev/lab/providers/providertest"
)

// fakeVariable has the test binary play minikube if it is called by that name.
const fakeVariable = "LAB_TEST_MINIKUBE"

// playMinikube does what minikube does with the docker driver, as far as lab sees it: start
// reports its steps as events, keeps a profile, and creates a network, a volume and a container.
func playMinikube(args []string) (code int) {
	flags := args[1:]
	name := last(flags, "profile")
	var err error
	switch args[0] {
	case "version":
		fmt.Println(`{"commit":"x","minikubeVersion":"v1.38.1"}`)
	case "start":
		err = playStart(name, flags)
	case "logs":
		err = os.WriteFile(last(flags, "file"), []byte("a log"), 0o600)
	default:
		err = fmt.Errorf("unknown command %q", args)
	}
	if err != nil {
		text, _ := json.Marshal(err.Error())
		fmt.Printf(`{"type":"io.k8s.sigs.minikube.error","data":{"exitcode":"80","name":"GUEST_START","message":%s}}`+"\n", text)
		return 80
	}
	return 0
}

func playStart(name string, flags []string) error {
	p := New(Options{}) // with the home of the environment
	step := func(name string) {
		fmt.Printf(`{"type":"io.k8s.sigs.minikube.step","data":{"name":%q,"message":"at work"}}`+"\n", name)
	}
	step("Initial Minikube Setup")
	if p.home.hasProfile(name) {
		step(stepDone)
		return nil
	}
	config := inDocker()
	config.Nodes[0].IP, config.Nodes[0].Port = loopback, 1 // where nothing answers
	config.KubernetesConfig.APIServerNames = []string{last(flags, flagNames)}
	if err := playProfile(p, name, config); err != nil {
		return err
	}
	step("Creating Container")
	for _, args := range [][]string{
		{"network", "create", "--label=created_by.minikube.sigs.k8s.io=true", "--label=" + label + "=" + name, name},
		{"volume", "create", "--label=" + label + "=" + name, name},
		{"run", "--name=" + name, "--hostname=" + name, "--net=" + name, "--label=" + label + "=" + name, "--publish=127.0.0.1::8443/tcp", "image"},
	} {
		if out, err := exec.Command("docker", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("docker %s: %w: %s", args[0], err, out)
		}
	}
	step("Booting control plane")
	if _, err := os.Stat(filepath.Join(string(p.home), "fails")); err == nil {
		return errors.New("wait 6m0s for node: it broke")
	}
	if err := playCertificates(p, name); err != nil {
		return err
	}
	step(stepDone)
	return nil
}

// playProfile keeps what minikube keeps of a cluster from its beginning.
func playProfile(p *Provider, name string, config profile) error {
	text, err := json.Marshal(config)
	return errors.Join(err, os.MkdirAll(p.home.profileDir(name), 0o700), os.MkdirAll(filepath.Join(p.home.machinesDir(), name), 0o700),
		os.WriteFile(filepath.Join(p.home.profileDir(name), "config.json"), text, 0o600),
		os.WriteFile(filepath.Join(p.home.profileDir(name), "events.json"), []byte("{}"), 0o600))
}

// playCertificates writes the files of a user, from what the container has.
func playCertificates(p *Provider, name string) error {
	out, err := exec.Command("docker", "cp", name+":/etc/kubernetes/admin.conf", "-").Output()
	if err != nil {
		return err
	}
	var text bytes.Buffer
	archive := tar.NewReader(bytes.NewReader(out))
	if _, err := archive.Next(); err != nil {
		return err
	}
	if _, err := text.ReadFrom(archive); err != nil {
		return err
	}
	var config struct {
		Users []struct {
			User struct {
				Certificate []byte `json:"client-certificate-data"`
				Key         []byte `json:"client-key-data"`
			}
		}
	}
	if err := yaml.Unmarshal(text.Bytes(), &config); err != nil {
		return err
	}
	user := config.Users[0].User
	own := append([]byte("# of "+name+" "+time.Now().String()+"\n"), user.Certificate...) // its hash is the identity
	return errors.Join(os.WriteFile(filepath.Join(string(p.home), "ca.crt"), user.Certificate, 0o600),
		os.WriteFile(filepath.Join(p.home.profileDir(name), "client.crt"), own, 0o600),
		os.WriteFile(filepath.Join(p.home.profileDir(name), "client.key"), user.Key, 0o600))
}

// TestContract runs the contract suite on a scripted minikube and a fake engine. What happens in
// nodes, and other drivers, are left to the suite of the same name in e2e.
func TestContract(t *testing.T) {
	home, dir := filepath.Join(t.TempDir(), ".minikube"), filepath.Join(t.TempDir(), "lab")
	program := filepath.Join(t.TempDir(), programName)
	self, err := os.Executable()
	if err := errors.Join(err, os.Symlink(self, program)); err != nil {
		t.Fatal(err)
	}
	t.Setenv(fakeVariable, "yes")
	t.Setenv("MINIKUBE_HOME", home)
	newProvider := func() *Provider {
		p := New(Options{Program: program, Home: home, Dir: dir})
		p.runner.lingers = 100 * time.Millisecond
		return p
	}
	p := newProvider()
	start := func(t *testing.T, name string) { // as its users do
		t.Helper()
		cmd := exec.Command(program, "start", "--profile="+name)
		cmd.Env = append(os.Environ(), "MINIKUBE_HOME="+home)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	check := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	providertest.Run(t, func(t *testing.T) providertest.Harness {
		e := dockertest.NewEngine(t)
		e.Authority = func(*dockertest.Node) string { return "minikubeCA" } // of all clusters
		e.Start = func(c *dockertest.Node) (string, error) {
			c.Files["/etc/kubernetes/admin.conf"] = c.Kubeconfig()
			return "", nil
		}
		e.Exec = func(_ *dockertest.Node, _ []byte, command []string) (string, error) {
			if strings.HasSuffix(strings.Join(command, " "), "images ls --quiet") {
				return "docker.io/library/web:v1\n", nil
			}
			return "", nil
		}
		return providertest.Harness{
			Cannot: []providertest.Ability{providertest.Snapshots},
			New:    func() providers.Provider { return newProvider() },
			Leaks: func(t *testing.T, name string) []string {
				found := e.Leftovers(name)
				for _, root := range []string{home, dir} {
					_ = filepath.WalkDir(root, func(path string, _ fs.DirEntry, _ error) error {
						if strings.Contains(strings.TrimPrefix(path, root), name) {
							found = append(found, path)
						}
						return nil
					})
				}
				return found
			},
			Invalid:     map[string]func(*providers.Spec){"a reserved flag": func(s *providers.Spec) { s.Native = []byte("force: true") }},
			Unsupported: map[string]func(*providers.Spec){"two control planes": func(s *providers.Spec) { s.ControlPlanes = 2 }},
			Failures: map[string]func(*testing.T, *providers.Spec){
				"a node that does not start": func(failing *testing.T, _ *providers.Spec) {
					check(failing, os.WriteFile(filepath.Join(home, "fails"), nil, 0o600))
					failing.Cleanup(func() { check(t, os.Remove(filepath.Join(home, "fails"))) })
				},
			},
			Unavailable: dockertest.Unavailable(p),
			Archive:     dockertest.Images(t, "web:v1"),
			Image:       "web:v1",
			Context:     func(name string) string { return name },
			Probe:       providertest.AskVersion,
			Break:       func(t *testing.T, name string) { check(t, e.Kill(name)) },
			HalfMade: func(t *testing.T, spec providers.Spec) {
				config := inDocker()
				config.Nodes[0].IP, config.Nodes[0].Port = loopback, 1
				config.KubernetesConfig.APIServerNames = []string{spec.Mark + markDomain}
				check(t, playProfile(p, spec.Name, config))
				c, err := e.Create("--name="+spec.Name, "--hostname="+spec.Name, "--label="+label+"="+spec.Name, "image")
				check(t, err)
				e.Age(c)
			},
			Foreign: start,
			LoseID: func(t *testing.T, name string) {
				check(t, os.Remove(filepath.Join(p.home.profileDir(name), "client.crt")))
			},
			LoseMark: func(t *testing.T, name string) {
				check(t, os.WriteFile(filepath.Join(p.home.profileDir(name), "config.json"), []byte("}"), 0o600))
			},
			Replace: func(t *testing.T, name string) {
				check(t, p.Delete(t.Context(), providers.Ref{Name: name}))
				start(t, name)
			},
			Goroutines: []string{"dockertest.", "os/exec.(*Cmd)"},
		}
	})
}
