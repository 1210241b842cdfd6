package probe

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestImages checks that the images of started containers are returned under the names that the pods use.
func TestImages(t *testing.T) {
	t.Parallel()
	pod := func(name string, age time.Duration, containers []corev1.Container, statuses ...corev1.ContainerStatus) corev1.Pod {
		return corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "shop", CreationTimestamp: metav1.NewTime(time.Unix(1e9, 0).Add(-age))},
			Spec:       corev1.PodSpec{Containers: containers}, Status: corev1.PodStatus{ContainerStatuses: statuses},
		}
	}
	web := []corev1.Container{{Name: "web", Image: "web:v1"}, {Name: "proxy", Image: "proxy:v1"}}
	old := pod("a", time.Hour, web, corev1.ContainerStatus{Name: "web", Image: "web:latest", ImageID: "docker.io/library/web@sha256:1"},
		corev1.ContainerStatus{Name: "proxy", Image: "proxy:v1"})
	old.Spec.InitContainers = []corev1.Container{{Name: "setup", Image: "setup:v1"}}
	old.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "setup", Image: "sha256:3", ImageID: "sha256:3"}}
	server := apiServer{system: []corev1.Pod{old, pod("b", time.Minute, web, corev1.ContainerStatus{Name: "web", ImageID: "docker.io/library/web@sha256:2"})}}
	got, err := API{}.Images(t.Context(), server.start(t))
	if err != nil {
		t.Fatal(err)
	}
	want := []PodImage{
		{"web:v1", "docker.io/library/web@sha256:2", "shop"}, {"setup:v1", "sha256:3", "shop"}, {"web:v1", "docker.io/library/web@sha256:1", "shop"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
