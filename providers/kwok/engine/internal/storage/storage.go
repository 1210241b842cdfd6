// Package storage simulates the storage of a cluster: it provides a default StorageClass, creates a volume
// for each claim of that class, enlarges it, and removes it after the claim. A volume is only an API
// object: its CSI driver does not exist, so nothing acts on it.
package storage

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// Provisioner is the provisioner of a StorageClass with simulated volumes, and their CSI driver.
const Provisioner = "kwok.clusterlab.dev"

// CreateClass creates the default StorageClass. It does not change an existing one of the same name. The
// name and the binding mode are those of kind, so that manifests work on both.
func CreateClass(ctx context.Context, client kubernetes.Interface) error {
	reclaim, binding, expand := corev1.PersistentVolumeReclaimDelete, storagev1.VolumeBindingWaitForFirstConsumer, true
	_, err := client.StorageV1().StorageClasses().Create(ctx, &storagev1.StorageClass{
		ObjectMeta: metav1.ObjectMeta{
			Name:        "standard",
			Annotations: map[string]string{"storageclass.kubernetes.io/is-default-class": "true"},
		},
		Provisioner:          Provisioner,
		ReclaimPolicy:        &reclaim,
		VolumeBindingMode:    &binding,
		AllowVolumeExpansion: &expand,
	}, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
