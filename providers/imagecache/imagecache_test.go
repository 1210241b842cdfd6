//go:build !windows

package imagecache

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/images/cache"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker/dockertest"
)

func TestMain(m *testing.M) { os.Exit(dockertest.Main(m)) }

// engine returns the answers of an engine of this machine, on which the cache has the given containers.
func engine(containers ...string) []dockertest.Answer {
	return []dockertest.Answer{
		{Args: "context inspect", Stdout: "default\tunix:///var/run/docker.sock\n"},
		{Args: "info --format {{.ID}}", Stdout: "engine\n"},
		{Args: "info --format {{json .SecurityOptions}}", Stdout: `["name=seccomp,profile=builtin"]`},
		{Args: "ps --all", Stdout: strings.Repeat("c1\n", len(containers))},
		{Args: "inspect", Stdout: "[" + strings.Join(containers, ",") + "]"},
		{Args: "network ls", Stdout: "n1 lab-cache clusterlab.dev/cache=x\n"},
		{Args: ""},
	}
}

// TestRun checks what the container may do, and that it is reachable on the loopback only.
func TestRun(t *testing.T) {
	d := dockertest.Script(t, engine()...)
	t.Setenv("SSL_CERT_FILE", authorities(t))
	dir := t.TempDir()
	instance, err := Docker{Program: program(t)}.Run(t.Context(), cache.Server{Dir: dir, Limit: 5, Registries: map[string]string{"quay.io": "https://quay.io"}}, nil)
	if err != nil || !strings.HasPrefix(instance.Address, "127.0.0.1:") {
		t.Fatalf("%+v, %v", instance, err)
	}
	calls := d.Calls(t)
	run := calls[slices.IndexFunc(calls, func(c string) bool { return strings.HasPrefix(c, "run ") })]
	for _, want := range []string{
		"--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--restart=unless-stopped",
		"--publish=" + instance.Address + ":5000", "--mount=type=bind,source=" + dir + ",target=/store",
		"--network=" + Name(dir), "--env=HTTPS_PROXY ",
		Name(dir) + " cache serve --listen :5000 --dir /store --limit 5 --registry quay.io=https://quay.io",
	} {
		if !strings.Contains(run, want) {
			t.Errorf("no %q in %q", want, run)
		}
	}
}

// TestPortTaken checks that a cache whose port another program takes meanwhile tries another port, and that a cache that
// cannot start leaves nothing.
func TestPortTaken(t *testing.T) {
	taken := dockertest.Answer{Args: "run", Stderr: "docker: Error response from daemon: Bind for 127.0.0.1:5051 failed: port is already allocated", Code: 125}
	d := dockertest.Script(t, append([]dockertest.Answer{taken}, engine(`{"Id":"c1","State":{"Status":"created"}}`)...)...)
	t.Setenv("SSL_CERT_FILE", authorities(t))
	dir := t.TempDir()
	if _, err := (Docker{Program: program(t)}).Run(t.Context(), cache.Server{Dir: dir}, nil); err == nil {
		t.Fatal("no error")
	}
	published := map[string]bool{}
	removed := map[string]bool{}
	for _, call := range d.Calls(t) {
		if _, rest, ok := strings.Cut(call, "--publish="); ok {
			at, _, _ := strings.Cut(rest, " ")
			published[at] = true
		}
		removed[call] = true
	}
	if len(published) != 2 {
		t.Errorf("published at %v, want two addresses", published)
	}
	for _, want := range []string{"rm --force --volumes c1", "network rm n1", "image rm " + Name(dir)} {
		if !removed[want] {
			t.Errorf("no %q in %q", want, d.Calls(t))
		}
	}
}

// TestRunKeeps checks that a container from the same inputs stays, and that another is replaced.
func TestRunKeeps(t *testing.T) {
	t.Setenv("SSL_CERT_FILE", authorities(t))
	s := cache.Server{Dir: t.TempDir()}
	d := Docker{Program: program(t)}
	i, err := d.contents(d.Program)
	if err != nil {
		t.Fatal(err)
	}
	inputs := hash(append([]string{i.digest}, arguments(s)...)...)
	for name, test := range map[string]struct {
		inputs, state string
		created       bool
	}{
		"the same":    {inputs, "running", false},
		"stopped":     {inputs, "exited", true},
		"another lab": {"other", "running", true},
	} {
		t.Run(name, func(t *testing.T) {
			script := dockertest.Script(t, engine(`{"Id":"c1","Name":"/x","State":{"Status":"`+test.state+`"},
				"Config":{"Labels":{"clusterlab.dev/cache-inputs":"`+test.inputs+`"}},
				"NetworkSettings":{"Ports":{"5000/tcp":[{"HostIp":"127.0.0.1","HostPort":"5051"}]},"Networks":{"x":{},"kind":{}}}}`)...)
			if _, err := d.Run(t.Context(), s, nil); err != nil {
				t.Fatal(err)
			}
			calls := script.Calls(t)
			created := slices.ContainsFunc(calls, func(c string) bool { return strings.HasPrefix(c, "run ") })
			removed := slices.ContainsFunc(calls, func(c string) bool { return strings.HasPrefix(c, "rm --force") })
			if slices.ContainsFunc(calls, func(c string) bool { return strings.HasPrefix(c, "network rm") }) {
				t.Errorf("the network was removed, to which others may be connected: %q", calls)
			}
			if connected := slices.Contains(calls, "network connect kind "+Name(s.Dir)); connected != test.created {
				t.Errorf("connected to the network of its predecessor: %v; calls: %q", connected, calls)
			}
			if created != test.created || removed != test.created {
				t.Errorf("created %v, removed %v: %q", created, removed, calls)
			}
		})
	}
}

// TestRemoveKeepsOthers checks that only objects with the label of the store are removed.
func TestRemoveKeepsOthers(t *testing.T) {
	d := dockertest.Script(t, engine(`{"Id":"c1","Name":"/x"}`)...)
	if err := (Docker{}).Remove(t.Context(), "/a"); err != nil {
		t.Fatal(err)
	}
	for _, call := range d.Calls(t) {
		if strings.Contains(call, " ls ") || strings.HasPrefix(call, "ps ") {
			if !strings.Contains(call, "--filter label=clusterlab.dev/cache="+id("/a")) {
				t.Errorf("not limited to the store: %q", call)
			}
		}
	}
	if Name("/a") == Name("/b") {
		t.Error("two stores have one name")
	}
}

func TestRemoteEngine(t *testing.T) {
	dockertest.Script(t, append([]dockertest.Answer{{Args: "context inspect", Stdout: "default\tssh://me@elsewhere\n"}}, engine()...)...)
	_, err := Docker{}.Run(t.Context(), cache.Server{Dir: t.TempDir()}, nil)
	if !errors.Is(err, fault.ErrUnsupported) {
		t.Errorf("got %v", err)
	}
}

// program returns a program for Linux that needs no libraries.
func program(t *testing.T) string {
	t.Helper()
	var data bytes.Buffer
	header := elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_EXEC), Version: uint32(elf.EV_CURRENT),
	}
	if err := binary.Write(&data, binary.LittleEndian, header); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "lab")
	if err := os.WriteFile(path, data.Bytes(), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func authorities(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, []byte("system"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestImage(t *testing.T) {
	t.Setenv("SSL_CERT_FILE", authorities(t))
	program := filepath.Join(t.TempDir(), "lab")
	if err := os.WriteFile(program, []byte("program"), 0o700); err != nil {
		t.Fatal(err)
	}
	i, err := Docker{CAFile: authorities(t)}.contents(program)
	if err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	if err := i.write(&archive); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for r := tar.NewReader(&archive); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		data, _ := io.ReadAll(r)
		got[h.Name] = string(data)
	}
	if diff := cmp.Diff(map[string]string{programInImage: "program", authoritiesInImage: "system\nsystem"}, got); diff != "" {
		t.Error(diff)
	}
	if err := static(program); err == nil {
		t.Error("a file that is not a program is accepted")
	}
}
