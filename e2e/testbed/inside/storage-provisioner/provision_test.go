package main

import (
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	storagelisters "k8s.io/client-go/listers/storage/v1"
	"k8s.io/client-go/tools/cache"
)

func TestVolume(t *testing.T) {
	t.Parallel()
	waits := storagev1.VolumeBindingWaitForFirstConsumer
	classes := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
	for name, class := range map[string]storagev1.StorageClass{
		"now":     {Provisioner: "k8s.io/minikube-hostpath"},
		"later":   {Provisioner: "rancher.io/local-path", VolumeBindingMode: &waits},
		"foreign": {Provisioner: "example.com/other"},
	} {
		class.Name = name
		if err := classes.Add(&class); err != nil {
			t.Fatal(err)
		}
	}
	p := provisioner{node: "worker", classes: storagelisters.NewStorageClassLister(classes)}
	for _, tt := range []struct {
		class, node, volume string
		want                bool
	}{
		{"now", "", "", true},
		{"now", "worker", "", true},
		{"now", "other", "", false},
		{"now", "", "taken", false},
		{"later", "", "", false},
		{"later", "worker", "", true},
		{"later", "other", "", false},
		{"foreign", "", "", false},
	} {
		claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{UID: "1", Annotations: map[string]string{selectedNode: tt.node}},
			Spec: corev1.PersistentVolumeClaimSpec{StorageClassName: &tt.class, VolumeName: tt.volume}}
		got := p.volume(claim)
		if (got != nil) != tt.want {
			t.Errorf("%+v: volume %v", tt, got)
		}
		if got != nil && got.Spec.NodeAffinity.Required.NodeSelectorTerms[0].MatchExpressions[0].Values[0] != "worker" {
			t.Errorf("%+v: node affinity %v", tt, got.Spec.NodeAffinity)
		}
	}
}

// TestDirectoriesAreForEveryUser checks that containers that do not run as root can write to a volume.
func TestDirectoriesAreForEveryUser(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "volumes", "pvc-1")
	if err := makeDirectory(dir); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o777 {
		t.Errorf("mode %o", got)
	}
}
