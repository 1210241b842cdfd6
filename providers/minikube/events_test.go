//go:build !windows

package minikube

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// TestSteps reads recorded output of a successful creation.
func TestSteps(t *testing.T) {
	t.Parallel()
	transcript, err := os.ReadFile("testdata/start.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	l, end := steps(func(e event.Event) {
		got = append(got, strings.TrimSpace(string(e.State)+" "+e.Step+": "+e.Message))
	})
	w := &lineWriter{take: l.take}
	for i := 0; i < len(transcript); i += 100 { // as a pipe hands it over
		_, _ = w.Write(transcript[i:min(i+100, len(transcript))])
	}
	end(nil)
	want := []string{
		"started Initial Minikube Setup:", "progress Initial Minikube Setup: [lab] minikube v1.38.1 on Debian 12.11 (docker/amd64)", "done Initial Minikube Setup:",
		"started Selecting Driver:", "progress Selecting Driver: Using the docker driver based on user configuration", "done Selecting Driver:",
	}
	if diff := cmp.Diff(want, got[:len(want)]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if last := got[len(got)-1]; last != "done Enabling Addons:" || strings.Count(strings.Join(got, "\n"), "started ") != 12 {
		t.Errorf("the steps are\n%s", strings.Join(got, "\n"))
	}
}

func TestDownloads(t *testing.T) {
	t.Parallel()
	var got []string
	l := &listener{moved: func(m string) { got = append(got, m) }}
	for _, line := range []string{
		`{"type":"io.k8s.sigs.minikube.download","data":{"artifact":"preload"}}`,
		`{"type":"io.k8s.sigs.minikube.download.progress","data":{"artifact":"preload","progress":"0.345"}}`,
		`{"type":"io.k8s.sigs.minikube.download.progress","data":{"artifact":"preload","progress":"all"}}`,
		`{"type":"io.k8s.sigs.minikube.info","data":{"message":"not worth a word"}}`,
		`{"type":"io.k8s.sigs.minikube.warning","data":{"message":"beware"}}`,
	} {
		l.take([]byte(line))
	}
	if diff := cmp.Diff([]string{"downloading preload", "downloading preload 34%", "downloading preload all", "beware"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestFailure checks that the error contains minikube's message and advice, without other
// output.
func TestFailure(t *testing.T) {
	t.Parallel()
	exit := errors.New("exit status 80")
	fatal := func(name, code, message, advice string) string {
		return `{"type":"io.k8s.sigs.minikube.error","data":{"name":"` + name + `","exitcode":"` + code + `","message":"` + message + `","advice":"` + advice + `","url":"https://x"}}`
	}
	for name, test := range map[string]struct {
		line, stderr     string
		kind             error
		says, hint, lack string
	}{
		"advice":      {fatal("GUEST_X", "80", "it broke", "turn it\\n off"), "", nil, "it broke", "turn it off (https://x)", "exit status"},
		"usage":       {fatal("MK_USAGE", "14", "no such value", ""), "", fault.ErrInvalid, "no such value", "see https://x", ""},
		"root":        {fatal("DRV_AS_ROOT", "57", "not as root", ""), "", fault.ErrUnavailable, "not as root", "export MINIKUBE_FORCE=true", ""},
		"too new":     {fatal("K8S_NEW_UNSUPPORTED", "106", "too new", "use --force"), "", fault.ErrUnsupported, "too new", "export MINIKUBE_FORCE=true", ""},
		"no internet": {fatal("INET_X", "40", "no way", ""), "", fault.ErrUnavailable, "no way", "see https://x", ""},
		"docker": {fatal("GUEST_PROVISION", "80", "error provisioning guest: Failed to start host: docker run a b c: exit status 125\\nstdout:\\n0123\\n\\nstderr:\\ndocker: Error response from daemon: port is already allocated.", ""), "", nil,
			"error provisioning guest: docker: Error response from daemon: port is already allocated.", "publish another one: --port", "a b c"},
		"garbage":        {"panic: what?", "E1124 12:22:23.273003    1727 docker.go:243] goroutine 1\n", nil, "exit status 80: what?", "lab doctor", "E1124"},
		"a flag of none": {"", "Error: unknown flag: --nonsense\nSee 'minikube start --help' for usage.\n", fault.ErrInvalid, "unknown flag: --nonsense", "list the flags", ""},
		"no word":        {"", "", nil, "minikube: exit status 80", "lab doctor", ""},
	} {
		l := quiet()
		if test.line != "" {
			l.take([]byte(test.line))
		}
		err := l.failure(exit, test.stderr)
		if !strings.Contains(err.Error(), test.says) || test.lack != "" && strings.Contains(err.Error(), test.lack) || !strings.Contains(fault.HintOf(err), test.hint) {
			t.Errorf("%s: %v (hint %q), want %q without %q, and the hint %q", name, err, fault.HintOf(err), test.says, test.lack, test.hint)
		}
		if test.kind != nil && !errors.Is(err, test.kind) {
			t.Errorf("%s: %v is not %v", name, err, test.kind)
		}
	}
}

func TestKindOf(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]error{
		"": nil, "x": nil, "1": nil, "14": fault.ErrInvalid, "16": fault.ErrUnsupported, "29": fault.ErrUnavailable,
		"37": nil, "49": fault.ErrUnavailable, "59": fault.ErrUnavailable, "63": fault.ErrUnavailable, "69": fault.ErrUnavailable,
		"80": nil, "106": fault.ErrUnsupported, "200": nil,
	} {
		if got := kindOf(code); got != want {
			t.Errorf("%q: %v, want %v", code, got, want)
		}
	}
}

func FuzzListener(f *testing.F) {
	transcript, _ := os.ReadFile("testdata/start.jsonl")
	f.Add(transcript)
	f.Add([]byte("\xff\n{}\n{\"type\":\"io.k8s.sigs.minikube.step\"}\n"))
	f.Fuzz(func(t *testing.T, output []byte) {
		var open int
		l, end := steps(func(e event.Event) {
			switch e.State {
			case event.Started:
				open++
			case event.Done, event.Failed:
				open--
			}
		})
		w := &lineWriter{take: l.take}
		_, _ = w.Write(output)
		end(nil)
		if open != 0 {
			t.Errorf("%d steps never ended", open)
		}
		if err := l.failure(errors.New("exit status 1"), ""); err.Error() == "" {
			t.Error("an error without a word")
		}
	})
}

// TestAfterKubeadm checks that the end of kubeadm is recognized once, by either step that follows.
func TestAfterKubeadm(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		steps string
		want  int
	}{
		{"Booting control plane,Configuring RBAC rules", 0},
		{"Configuring RBAC rules,Configuring CNI,Verifying Kubernetes", 1},
		{"Configuring RBAC rules,Verifying Kubernetes,Enabling Addons", 1},
	} {
		called := 0
		l := &listener{moved: func(string) {}, afterKubeadm: func() { called++ }}
		for step := range strings.SplitSeq(tt.steps, ",") {
			l.take(fmt.Appendf(nil, `{"type":"io.k8s.sigs.minikube.step","data":{"name":%q,"message":"x"}}`, step))
		}
		if called != tt.want {
			t.Errorf("%s: called %d times, want %d", tt.steps, called, tt.want)
		}
	}
}
