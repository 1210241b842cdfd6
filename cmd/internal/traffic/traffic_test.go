package traffic

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	ktesting "k8s.io/client-go/testing"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// columns returns one column for each text: the versions of its answers, one letter each, "!" for a failed one of the
// version before, "x" for a lost one, "o" for one that waits.
func columns(texts ...string) []Column {
	var all []Column
	for i, text := range texts {
		c := Column{Time: time.Unix(0, 0).Add(time.Duration(i) * ColumnTime), Answers: map[string]int{}, Failed: map[string]int{}}
		for _, r := range text {
			switch r {
			case 'o':
				c.InFlight++
			case 'x':
				c.Failed["refused"]++
			case '!':
				c.Failed["status 500"]++
			default:
				c.Answers["v"+string(r)]++
			}
		}
		all = append(all, c)
	}
	return all
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	for want, seen := range map[string][]string{
		"no requests":                                                                    {},
		"nobody answered: 2 of 2 requests lost":                                          {"x", "x"},
		"only v1 answered; 1 of 6 requests lost":                                         {"11", "1x", "11"},
		"only v3 answered; 2 of 4 requests lost":                                         {"3!3", "3!3"},
		"nobody answered for 1.5 s; 3 of 7 requests lost":                                {"11", "x", "x", "x", "22"},
		"v1 and v2 answered side by side for 1.0 s, then only v2; 0 of 12 requests lost": {"11", "12", "12", "22", "22", "22"},
		"the traffic moved from v1 to v2 at once; 0 of 8 requests lost":                  {"11", "12", "22", "22"},
		"v1 and v2 still share the traffic: v1 75 %, v2 25 %; 0 of 16 requests lost":     {"1111", "1112", "1112", "1112"},
		"nobody answered for 1.0 s; 2 of 3 requests lost":                                {"x1", "o", "x", ""},
	} {
		s := Summary{}
		for _, c := range columns(seen...) {
			s.add(c)
		}
		s.conclude()
		if s.Verdict != want {
			t.Errorf("%v: %s, want %s", seen, s.Verdict, want)
		}
	}
}

// TestSilenceAtFirst checks that the time before the first answer is not a gap.
func TestSilenceAtFirst(t *testing.T) {
	t.Parallel()
	s := Summary{}
	for _, c := range columns("x", "x", "x", "1") {
		s.add(c)
	}
	if s.conclude(); s.Gap != 0 {
		t.Errorf("a gap of %g s", s.Gap)
	}
}

// script is a cluster whose load generator writes a log.
type script struct {
	log     string
	fails   error // of the log
	stopped int
	ready   []string
}

func (s *script) Target(context.Context, Request) (Target, error) {
	return Target{"shop", "web", 80}, nil
}
func (s *script) Backends(context.Context, Target) ([]string, error) {
	return s.ready, nil
}

func (s *script) Generate(context.Context, Request, Target) (io.ReadCloser, func(context.Context) error, error) {
	log := io.MultiReader(strings.NewReader(s.log), failing{s.fails})
	return io.NopCloser(log), func(context.Context) error { s.stopped++; return nil }, nil
}

// failing is a reader that only returns an error.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err == nil {
		return 0, io.EOF
	}
	return 0, f.err
}

// TestGenerate checks that each line of the log is a column, that other lines are ignored, and that the load generator
// is always stopped.
func TestGenerate(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection reset")
	for name, test := range map[string]struct {
		script script
		lasts  time.Duration
		want   int
		says   string
	}{
		"ends":           {script{log: lines(t, columns("1", "2")) + "hello: bad\n{}\n"}, time.Second, 2, ""},
		"ends by itself": {script{log: lines(t, columns("1"))}, 0, 1, "the load generator ended"},
		"log is cut off": {script{log: lines(t, columns("1")), fails: broken}, time.Second, 1, "cannot read the log of the load generator: connection reset"},
	} {
		n := 0
		err := generate(t.Context(), &test.script, Target{}, Request{Lasts: test.lasts}, nil, func(Column) { n++ })
		if n != test.want || test.script.stopped != 1 {
			t.Errorf("%s: %d columns, stopped %d times", name, n, test.script.stopped)
		}
		if got := errText(err); !strings.HasPrefix(got, test.says) || (got == "") != (test.says == "") {
			t.Errorf("%s: %q, want %q", name, got, test.says)
		}
	}
}

func lines(t *testing.T, all []Column) string {
	t.Helper()
	var b strings.Builder
	for _, c := range all {
		if err := json.NewEncoder(&b).Encode(c); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestSimulate checks that ready pods share the requests evenly, and that requests are lost without any.
func TestSimulate(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		ready []string
		want  Column
	}{
		"two of three": {[]string{"v1", "v2", "v2"}, Column{Answers: map[string]int{"v1": 2, "v2": 4}, Failed: map[string]int{}}},
		"none":         {nil, Column{Answers: map[string]int{}, Failed: map[string]int{"no ready pod": 6}}},
	} {
		var got []Column
		err := simulate(t.Context(), &script{ready: test.ready}, Target{}, Request{Rate: 12, Lasts: 2 * ColumnTime}, func(c Column) { got = append(got, c) })
		if err != nil || len(got) != 2 {
			t.Fatalf("%s: %d columns, want 2: %v", name, len(got), err)
		}
		got[0].Time = time.Time{}
		if diff := cmp.Diff(test.want, got[0]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// services returns a client of a cluster with the Service shop/web and objects.
func services(objects ...runtime.Object) *fake.Clientset {
	web := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}, {Port: 443}}}}
	return fake.NewClientset(append(objects, web)...)
}

func TestTarget(t *testing.T) {
	t.Parallel()
	a := api{services()}
	for name, test := range map[string]struct {
		q    Request
		port int
		says string
		kind error
	}{
		"first port":   {Request{Namespace: "shop", Service: "web"}, 80, "", nil},
		"another port": {Request{Namespace: "shop", Service: "web", Port: 443}, 443, "", nil},
		"no such port": {Request{Namespace: "shop", Service: "web", Port: 8080}, 0, "Service shop/web has no port 8080", fault.ErrInvalid},
		"no Service":   {Request{Namespace: "default", Service: "web"}, 0, `namespace "default" has no Service "web"`, fault.ErrNotFound},
	} {
		to, err := a.Target(t.Context(), test.q)
		if to.Port != test.port || errText(err) != test.says || test.kind != nil && !errors.Is(err, test.kind) {
			t.Errorf("%s: %+v, %v", name, to, err)
		}
	}
}

// TestBackends checks that only ready pods of the Service count, with the tag of their image.
func TestBackends(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	pod := func(name, image string) *corev1.Pod {
		return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Image: image}}}}
	}
	endpoint := func(pod string, ready *bool) discoveryv1.Endpoint {
		return discoveryv1.Endpoint{TargetRef: &corev1.ObjectReference{Name: pod}, Conditions: discoveryv1.EndpointConditions{Ready: ready}}
	}
	a := api{services(pod("a", "localhost:5000/web:v1"), pod("b", "web:v2@sha256:0"), pod("c", "web"), pod("d", "web:v4"), &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web-1", Labels: map[string]string{discoveryv1.LabelServiceName: "web"}},
		Endpoints:  []discoveryv1.Endpoint{endpoint("a", &yes), endpoint("b", nil), endpoint("c", &yes), endpoint("d", &no), endpoint("gone", &yes)},
	})}
	got, err := a.Backends(t.Context(), Target{"shop", "web", 80})
	if diff := cmp.Diff([]string{"v1", "v2", "web"}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// phase makes every new pod have a status.
func phase(client *fake.Clientset, status corev1.PodStatus) {
	client.PrependReactor("create", "pods", func(action ktesting.Action) (bool, runtime.Object, error) {
		pod := action.(ktesting.CreateAction).GetObject().(*corev1.Pod)
		pod.Name, pod.UID, pod.Status = "lab-traffic-1", "1", status
		return false, pod, nil
	})
}

func podsOf(t *testing.T, client *fake.Clientset) []string {
	t.Helper()
	list, err := client.CoreV1().Pods("shop").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, pod := range list.Items {
		names = append(names, pod.Name)
	}
	return names
}

// TestGeneratorPod checks that the pod of a load generator is deleted at the end, and that one that has ended, of a lab
// that was killed, is deleted before. Other pods stay.
func TestGeneratorPod(t *testing.T) {
	t.Parallel()
	old := func(name string, labels map[string]string, phase corev1.PodPhase) *corev1.Pod {
		return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, Labels: labels}, Status: corev1.PodStatus{Phase: phase}}
	}
	mark := map[string]string{labelService: "web"}
	client := services(old("ended", mark, corev1.PodFailed), old("other", mark, corev1.PodRunning), old("theirs", nil, corev1.PodFailed))
	phase(client, corev1.PodStatus{Phase: corev1.PodRunning})
	log, stop, err := api{client}.Generate(t.Context(), Request{Image: "hello:v1", Rate: 5, Path: "/"}, Target{"shop", "web", 80})
	if err != nil {
		t.Fatal(err)
	}
	log.Close()
	if diff := cmp.Diff([]string{"lab-traffic-1", "other", "theirs"}, podsOf(t, client)); diff != "" {
		t.Errorf("while it runs (-want +got):\n%s", diff)
	}
	for range 2 {
		if err := stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if diff := cmp.Diff([]string{"other", "theirs"}, podsOf(t, client)); diff != "" {
		t.Errorf("at the end (-want +got):\n%s", diff)
	}
}

// TestGeneratorDoesNotStart checks that the error says why, and that no pod is left.
func TestGeneratorDoesNotStart(t *testing.T) {
	t.Parallel()
	waits := func(reason string) corev1.PodStatus {
		state := corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: "not found"}}
		return corev1.PodStatus{Phase: corev1.PodPending, ContainerStatuses: []corev1.ContainerStatus{{State: state}}}
	}
	client := services()
	phase(client, waits("ErrImagePull"))
	_, _, err := api{client}.Generate(t.Context(), Request{Image: "hello:v1", Path: "/"}, Target{"shop", "web", 80})
	if !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(err.Error(), "ErrImagePull: not found") || !strings.Contains(fault.HintOf(err), "lab image load") {
		t.Errorf("%v (hint %q)", err, fault.HintOf(err))
	}
	if left := podsOf(t, client); len(left) > 0 {
		t.Errorf("left: %v", left)
	}

	client = services()
	phase(client, waits("ContainerCreating"))
	ctx, cancel := context.WithCancel(t.Context())
	client.PrependReactor("get", "pods", func(ktesting.Action) (bool, runtime.Object, error) { cancel(); return false, nil, nil })
	if _, _, err := (api{client}).Generate(ctx, Request{Path: "/"}, Target{"shop", "web", 80}); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	if left := podsOf(t, client); len(left) > 0 {
		t.Errorf("left after an interrupt: %v", left)
	}
}
