package main

import (
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
	p := provisioner{classes: storagelisters.NewStorageClassLister(classes)}
	for _, tt := range []struct {
		class, node, volume string
		want                bool
	}{
		{"now", "", "", true},
		{"now", "", "taken", false},
		{"later", "", "", false},
		{"later", "worker", "", true},
		{"foreign", "", "", false},
	} {
		claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{UID: "1", Annotations: map[string]string{selectedNode: tt.node}},
			Spec: corev1.PersistentVolumeClaimSpec{StorageClassName: &tt.class, VolumeName: tt.volume}}
		got := p.volume(claim)
		if (got != nil) != tt.want {
			t.Errorf("%+v: volume %v", tt, got)
		}
		if got != nil && (got.Spec.NodeAffinity != nil) != (tt.node != "") {
			t.Errorf("%+v: node affinity %v", tt, got.Spec.NodeAffinity)
		}
	}
}
