//go:build e2e && unix

package faults

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// foreign is the name and namespace of a release that the user installed with Helm. A second one is in the namespace
// of lab's addon in some rounds.
const foreign = "theirs"

const templates = `
apiVersion: v1
kind: ConfigMap
metadata: {name: theirs}
data: {is: theirs}
---
apiVersion: v1
kind: Secret
metadata: {name: theirs}
stringData: {is: theirs}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: theirs}
spec: {storageClassName: none, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
---
apiVersion: v1
kind: Service
metadata: {name: theirs}
spec: {selector: {app: theirs}, ports: [{port: 80}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: theirs}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: theirs}
spec:
  replicas: 0
  selector: {matchLabels: {app: theirs}}
  template: {metadata: {labels: {app: theirs}}, spec: {containers: [{name: a, image: "theirs:v1"}]}}
---
apiVersion: theirs.example.org/v1
kind: Their
metadata: {name: theirs, finalizers: [theirs.example.org/keep]}
`

const definition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: theirs.theirs.example.org}
spec:
  group: theirs.example.org
  names: {kind: Their, plural: theirs}
  scope: Namespaced
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
`

// putReleases installs the same chart into each namespace with Helm.
func putReleases(t *testing.T, kubeconfig []byte, namespaces ...string) {
	t.Helper()
	path := t.TempDir() + "/kubeconfig"
	if err := os.WriteFile(path, kubeconfig, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, namespace := range namespaces {
		flags := genericclioptions.NewConfigFlags(true)
		flags.KubeConfig, flags.Namespace = &path, &namespace
		config := new(action.Configuration)
		if err := config.Init(flags, namespace, "secret", func(string, ...any) {}); err != nil {
			t.Fatal(err)
		}
		helm := action.NewInstall(config)
		helm.ReleaseName, helm.Namespace, helm.CreateNamespace = foreign, namespace, true
		_, err := helm.Run(&chart.Chart{
			Metadata:  &chart.Metadata{APIVersion: "v2", Name: foreign, Version: "1.0.0"},
			Templates: []*chart.File{{Name: "templates/all.yaml", Data: []byte(templates)}},
			Files:     []*chart.File{{Name: "crds/their.yaml", Data: []byte(definition)}},
		}, chartutil.Values{})
		if err != nil {
			t.Fatalf("helm install %s: %v", foreign, err)
		}
	}
}

// objects contains the objects of a cluster, each with the properties that must not change.
type objects map[string]string

// changes returns the difference between before and o; "" if there is none.
func (o objects) changes(before objects) string { return cmp.Diff(before, o) }

// of returns the objects of o that are also in keep.
func (o objects) of(keep objects) objects {
	rest := maps.Clone(o)
	maps.DeleteFunc(rest, func(key, _ string) bool { _, known := keep[key]; return !known })
	return rest
}

// concerned returns the objects in the namespaces foreign and addon, and all objects whose name contains one of these
// names.
func concerned(t *testing.T, kubeconfig []byte) objects {
	t.Helper()
	list, err := list(t.Context(), kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(list, func(key, _ string) bool { return !strings.Contains(key, foreign) && !strings.Contains(key, addon) })
	return list
}

// settled returns these objects after Kubernetes has created its own objects in all of the namespaces.
func settled(t *testing.T, kubeconfig []byte, namespaces int) objects {
	t.Helper()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for last := concerned(t, kubeconfig); ; <-tick.C {
		now := concerned(t, kubeconfig)
		added := strings.Count(strings.Join(slices.Collect(maps.Keys(now)), "\n"), "/kube-root-ca.crt")
		if added == namespaces && maps.Equal(last, now) {
			return now
		}
		last = now
	}
}

// list returns all objects of a cluster except those that change by themselves.
func list(ctx context.Context, kubeconfig []byte) (objects, error) {
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS, config.WarningHandler = -1, rest.NoWarnings{}
	finder, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, err
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	kinds, err := finder.ServerPreferredResources()
	if err != nil && len(kinds) == 0 {
		return nil, err
	}
	found := objects{}
	for _, group := range kinds {
		version, err := schema.ParseGroupVersion(group.GroupVersion)
		if err != nil {
			return nil, err
		}
		for _, kind := range group.APIResources {
			if !slices.Contains(kind.Verbs, "list") || comesAndGoes(kind.Name) {
				continue
			}
			all, err := client.Resource(version.WithResource(kind.Name)).List(ctx, metav1.ListOptions{})
			if err != nil {
				return nil, fmt.Errorf("%s: %w", kind.Name, err)
			}
			for _, o := range all.Items {
				found[fmt.Sprintf("%s %s/%s", kind.Name, o.GetNamespace(), o.GetName())] = fixed(kind.Name, &o)
			}
		}
	}
	return found, nil
}

func comesAndGoes(kind string) bool {
	return slices.Contains([]string{"events", "leases", "endpoints", "endpointslices", "componentstatuses", "nodes",
		"csinodes", "certificatesigningrequests", "ipaddresses"}, kind)
}

// fixed returns the properties of an object that must not change: all except the status that its controller writes.
func fixed(kind string, o *unstructured.Unstructured) string {
	if _, reported, _ := unstructured.NestedMap(o.Object, "status"); reported || kind == "apiservices" {
		return fmt.Sprintf("uid %s generation %d deleted %t", o.GetUID(), o.GetGeneration(), o.GetDeletionTimestamp() != nil)
	}
	return fmt.Sprintf("uid %s version %s", o.GetUID(), o.GetResourceVersion())
}
