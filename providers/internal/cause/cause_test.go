package cause

import (
	"strings"
	"testing"
	"testing/fstest"
)

// TestReason checks that the reason of a program's exit is found in every log format.
func TestReason(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		lines string
		want  string
		dying bool
	}{
		"klog, a command that failed": {
			"E1129 10:12:34.1     586 run.go:72] \"command failed\" err=\"unrecognized feature gate: Foo\"\nI1129 10:12:34.2     586 x.go:1] \"bye\"",
			"unrecognized feature gate: Foo", true,
		},
		"klog, fatal without structure": {"F1129 10:12:34.123456       1 main.go:7] cannot listen on :10250\ngoroutine 1 [running]:\n", "cannot listen on :10250", true},
		"klog, an error and its reason": {"E1129 10:12:34.1 1 x.go:2] \"Failed to start\" err=\"no disk\"", "Failed to start: no disk", false},
		"a panic with its trace": {
			"panic: unrecognized feature gate: Foo\n\ngoroutine 1 [running]:\nmain.main()\n\t/src/main.go:54 +0x186\n", "unrecognized feature gate: Foo", true,
		},
		"the runtime of Go": {"fatal error: out of memory\nruntime.throw({0x1, 0x2})\n", "out of memory", true},
		"cobra, with a usage text": {
			"Error: unknown flag: --foo\nUsage:\n  kube-apiserver [flags]\n\nGeneric flags:\n\n      --advertise-address ip   The IP\n", "unknown flag: --foo", true,
		},
		"kubeadm, with a trace": {
			"I1129 10:12:34.1 1 x.go:2] waiting\nerror: error execution phase preflight: no\nk8s.io/kubernetes/cmd/kubeadm/app.Run\n\tk8s.io/kubernetes/cmd/kubeadm/app/kubeadm.go:48\n",
			"error execution phase preflight: no", true,
		},
		"kubeadm, of a machine that it refuses": {
			"error execution phase preflight: [preflight] Some fatal errors occurred:\n\t[ERROR Port-10250]: Port 10250 is in use\n" +
				"[preflight] If you know what you are doing, you can make a check non-fatal\nTo see the stack trace of this error execute with --v=5 or higher\n",
			"[ERROR Port-10250]: Port 10250 is in use", true,
		},
		"zap": {
			"{\"level\":\"info\",\"msg\":\"starting\"}\n{\"level\":\"fatal\",\"msg\":\"discovery failed\",\"error\":\"listen tcp 10.0.0.9:2380: bind: cannot assign requested address\"}\n",
			"discovery failed: listen tcp 10.0.0.9:2380: bind: cannot assign requested address", true,
		},
		"logrus":            {"time=\"x\" level=error msg=\"one\"\ntime=\"x\" level=fatal msg=\"kubelet exited: no\" error=\"why\"\n", "kubelet exited: no: why", true},
		"systemd, in color": {"\x1b[0;1;31m[!!!!!!] Failed to allocate manager object.\x1b[0m\nExiting PID 1...\n", "Failed to allocate manager object.", true},
		"plain":             {"exec /usr/local/bin/entrypoint: exec format error\n", "exec /usr/local/bin/entrypoint: exec format error", false},
		"nothing":           {"\n\n", "", false},
		"one that is restarted in vain": {
			strings.Repeat("E1129 10:12:34.1 5 run.go:72] \"command failed\" err=\"Foo\"\n", 3) + "error: gave up waiting\n", "Foo", true,
		},
	} {
		said, dying := Reason(test.lines)
		if said != test.want || dying != test.dying {
			t.Errorf("%s: %q, dying %v; want %q", name, said, dying, test.want)
		}
	}
	if said, _ := Reason("panic: " + strings.Repeat("ä", longest)); len(said) > longest+len("…") || !strings.HasSuffix(said, "…") {
		t.Errorf("a long message has %d bytes", len(said))
	}
}

// journal prefixes lines as journalctl does.
func journal(lines ...string) string {
	return "Nov 29 10:12:" + strings.Join(lines, "\nNov 29 10:12:") + "\n"
}

// TestFind checks that the first cause in the order of dependency is found, and that recovered
// programs are not.
func TestFind(t *testing.T) {
	t.Parallel()
	exit := "05 n systemd[1]: kubelet.service: Main process exited, code=exited, status=1/FAILURE"
	crash := journal("04 n kubelet[7]: E1129 10:12:04.1 7 run.go:72] \"command failed\" err=\"no\"", exit, "06 n kubelet[9]: I1129 10:12:06.1 9 x.go:1] \"hello\"")
	pull := `05 n kubelet[7]: E1129 10:12:05.1 7 pod_workers.go:1] "Error syncing pod, skipping" err="failed to \"StartContainer\" for \"etcd\" with ImagePullBackOff: \"rpc error: code = NotFound desc = no such image\"" pod="kube-system/etcd-n"`
	sandbox := `05 n kubelet[7]: E1129 10:12:05.1 7 pod_workers.go:1] "Error syncing pod, skipping" err="failed to \"CreatePodSandbox\" for \"etcd-n_kube-system(1-2)\" with CreatePodSandboxError: \"write /x: no space left on device\"" pod="kube-system/etcd-n"`
	crashes := "2026-11-29T10:12:34.1Z stderr F Error: unknown flag: --foo\n"
	for name, test := range map[string]struct {
		logs map[string]string
		node Node
		want string // "" where no cause is stated
	}{
		"a node that ended":          {map[string]string{"out": "panic: no", "j": crash}, Node{Ended: "exit code 1"}, "node n exited (exit code 1): no"},
		"a node without a word":      {nil, Node{Ended: "exit code 1"}, "node n exited (exit code 1): it wrote nothing"},
		"a kubelet that crashes":     {map[string]string{"j": crash}, Node{}, "the kubelet of n does not start: no"},
		"a kubelet that recovered":   {map[string]string{"j": crash + journal("17 n kubelet[9]: I1129 10:12:17.1 9 x.go:1] \"well\"")}, Node{}, ""},
		"a kubelet that was stopped": {map[string]string{"j": journal("05 n systemd[1]: kubelet.service: Main process exited, code=killed, status=15/TERM")}, Node{}, ""},
		"a kubelet that was killed":  {map[string]string{"j": journal("04 n kubelet[7]: hello", "05 n systemd[1]: kubelet.service: Main process exited, code=killed, status=9/KILL")}, Node{}, "the kubelet of n does not start: it was killed (code=killed, status=9/KILL)"},
		"a kubelet that never spoke": {map[string]string{"j": journal("05 n systemd[1]: kubelet.service: Main process exited, code=exited, status=203/EXEC")}, Node{}, "the kubelet of n does not start: code=exited, status=203/EXEC"},
		"containerd, and the kubelet that needs it": {
			map[string]string{"j": journal(`03 n containerd[2]: time="x" level=warning msg="failed to load plugin" error="no such key" id=io.containerd.cri.v1.runtime`) + crash}, Node{},
			"containerd of n does not start: no such key",
		},
		"a plugin that nobody needs": {map[string]string{"j": journal(`03 n containerd[2]: time="x" level=warning msg="failed to load plugin" error="no btrfs" id=io.containerd.snapshotter.v1.btrfs`)}, Node{}, ""},
		"containerd with a separate log": {
			map[string]string{"rt": `time="x" level=warning msg="failed to load plugin" error="no such key" id=io.containerd.grpc.v1.cri` + "\n"}, Node{},
			"containerd of n does not start: no such key",
		},
		"an image":                          {map[string]string{"j": journal(pull)}, Node{}, "the image of etcd cannot be pulled in n: no such image"},
		"an image, by the output of a node": {map[string]string{"out": strings.SplitN(pull, ": ", 2)[1]}, Node{}, "the image of etcd cannot be pulled in n: no such image"},
		"an image that came":                {map[string]string{"j": journal(pull), "pods/kube-system_etcd-n_1/etcd/0.log": "2026-11-29T10:12:34.1Z stderr F well\n"}, Node{}, ""},
		"a disk that is full":               {map[string]string{"j": journal(sandbox)}, Node{}, "etcd-n of n cannot be run (CreatePodSandboxError): write /x: no space left on device"},
		"etcd before the API server": {
			map[string]string{"pods/kube-system_kube-apiserver-n_1/kube-apiserver/3.log": "2026-11-29T10:12:34.1Z stderr F Error: no etcd\n", "pods/kube-system_etcd-n_1/etcd/1.log": crashes}, Node{},
			"etcd of n crashes: unknown flag: --foo",
		},
		"a run that has only begun":   {map[string]string{"pods/kube-system_etcd-n_1/etcd/9.log": crashes, "pods/kube-system_etcd-n_1/etcd/10.log": ""}, Node{}, "etcd of n crashes: unknown flag: --foo"},
		"a container restarted once":  {map[string]string{"pods/kube-system_etcd-n_1/etcd/1.log": "2026-11-29T10:12:34.1Z stderr F well\n"}, Node{}, ""},
		"a pod of the person's own":   {map[string]string{"pods/default_web_1/web/5.log": crashes}, Node{}, ""},
		"an image without systemd":    {map[string]string{"j": `exec: "journalctl": executable file not found in $PATH` + "\n"}, Node{}, `node n does not run systemd, so its image is not a node image: exec: "journalctl": executable file not found in $PATH`},
		"an output that says it ends": {map[string]string{"out": "time=\"x\" level=fatal msg=\"no token\"\n"}, Node{}, "node n does not start: no token"},
		"no logs":                     {nil, Node{}, ""},
	} {
		logs := fstest.MapFS{}
		for path, text := range test.logs {
			logs[path] = &fstest.MapFile{Data: []byte(text)}
		}
		test.node.Name, test.node.Output, test.node.Journal, test.node.Runtime, test.node.Pods = "n", "out", "j", "rt", "pods"
		c, ok := Find(logs, []Node{{Name: "other"}, test.node})
		if got := c.String(); ok != (test.want != "") || ok && got != test.want {
			t.Errorf("%s: %q, %v; want %q", name, got, ok, test.want)
		}
	}
}
