package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// What Kubernetes' conformance tests of API machinery rely on, and what needs no pod
// that runs, works as in any cluster.
func TestMachinery(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 0)
	c.serve()
	t.Run("garbage collection", func(t *testing.T) { checkGarbage(t, c.as(t)) })
	t.Run("namespace deletion", func(t *testing.T) { checkNamespace(t, c.as(t)) })
	t.Run("quota", func(t *testing.T) { checkQuota(t, c.as(t)) })
	t.Run("watch and field selectors", func(t *testing.T) { checkWatch(t, c.as(t)) })
	t.Run("custom resources of two versions", func(t *testing.T) { checkCustom(t, c.as(t)) })
	c.stop()
}

// checkGarbage deletes a Deployment and waits for what it owns to follow.
func checkGarbage(t *testing.T, c *cluster) {
	client := c.client()
	c.deploy("owner", 2)
	c.available(20*time.Second, "owner", 2)
	if err := client.AppsV1().Deployments("default").Delete(t.Context(), "owner", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	c.eventually(30*time.Second, func(ctx context.Context) error {
		sets, err := client.AppsV1().ReplicaSets("default").List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		pods, err := client.CoreV1().Pods("default").List(ctx, metav1.ListOptions{})
		if err == nil && len(sets.Items)+len(pods.Items) > 0 {
			err = missing("%d replica sets and %d pods are left", len(sets.Items), len(pods.Items))
		}
		return err
	})
}

// checkNamespace deletes a namespace and waits until it and its contents are gone.
func checkNamespace(t *testing.T, c *cluster) {
	namespaces := c.client().CoreV1().Namespaces()
	if _, err := namespaces.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "gone"}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.client().CoreV1().ConfigMaps("gone").Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "c"}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := namespaces.Delete(t.Context(), "gone", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	c.eventually(30*time.Second, func(ctx context.Context) error {
		if _, err := namespaces.Get(ctx, "gone", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			return missing("the namespace exists: %v", err)
		}
		return nil
	})
}

// checkQuota exceeds a quota of one Secret. As everywhere, the quota begins to count a
// moment after it was created.
func checkQuota(t *testing.T, c *cluster) {
	out, err := c.kubectl("create", "namespace", "quota")
	if err == nil {
		out, err = c.kubectl("create", "quota", "one", "--hard=secrets=1", "-n", "quota")
	}
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	secrets := c.client().CoreV1().Secrets("quota")
	c.eventually(30*time.Second, func(ctx context.Context) error {
		_, err := secrets.Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{GenerateName: "s-"}}, metav1.CreateOptions{})
		if err == nil || !strings.Contains(err.Error(), "exceeded quota") {
			return missing("got %v", err)
		}
		return nil
	})
}

// checkWatch watches one of two objects.
func checkWatch(t *testing.T, c *cluster) {
	maps := c.client().CoreV1().ConfigMaps("default")
	changes, err := maps.Watch(t.Context(), metav1.ListOptions{FieldSelector: "metadata.name=watched"})
	if err != nil {
		t.Fatal(err)
	}
	defer changes.Stop()
	for _, name := range []string{"other", "watched"} {
		if _, err := maps.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := maps.Delete(t.Context(), "watched", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []watch.EventType{watch.Added, watch.Deleted} {
		select {
		case change := <-changes.ResultChan():
			object, ok := change.Object.(*corev1.ConfigMap)
			if !ok || change.Type != want || object.Name != "watched" {
				t.Errorf("got %v %v, want %v of watched", change.Type, change.Object, want)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("no event %s", want)
		}
	}
}

const twoVersions = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.org}
spec:
  group: example.org
  names: {kind: Thing, plural: things, singular: thing, listKind: ThingList}
  scope: Namespaced
  conversion: {strategy: None}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
  - {name: v2, served: true, storage: false, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
`

// checkCustom writes an object in one version and reads it in the other.
func checkCustom(t *testing.T, c *cluster) {
	file := filepath.Join(t.TempDir(), "objects.yaml")
	must := func(args ...string) string {
		t.Helper()
		out, err := c.kubectl(args...)
		if err != nil {
			t.Fatalf("kubectl %v: %v: %s", args, err, out)
		}
		return out
	}
	for _, text := range []string{twoVersions, "apiVersion: example.org/v1\nkind: Thing\nmetadata: {name: a, namespace: default}\ncolour: red\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		must("apply", "-f", file)
		must("wait", "--for=condition=Established", "crd/things.example.org", "--timeout=60s")
	}
	if out := must("get", "things.v2.example.org", "a", "-o", "jsonpath={.apiVersion} {.colour}"); out != "example.org/v2 red" {
		t.Errorf("as v2 it is %q", out)
	}
	must("delete", "crd", "things.example.org", "--timeout=60s")
}
