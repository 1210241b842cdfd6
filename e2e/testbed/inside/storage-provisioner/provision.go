package main

import (
	"context"
	"errors"
	"os"
	"path"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes"
	listers "k8s.io/client-go/listers/core/v1"
	storagelisters "k8s.io/client-go/listers/storage/v1"
)

const (
	provisionedBy = "pv.kubernetes.io/provisioned-by"
	selectedNode  = "volume.kubernetes.io/selected-node" // set by the scheduler, for a class that waits for the first pod
)

type provisioner struct {
	node    string // that this process runs on
	client  kubernetes.Interface
	claims  listers.PersistentVolumeClaimLister
	volumes listers.PersistentVolumeLister
	classes storagelisters.StorageClassLister
}

// directoryOf returns the directory of the node that has the volumes of a provisioner, or "" if it is not ours. The pod
// mounts it at the same path; minikube's manifest mounts /tmp.
func directoryOf(provisioner string) string {
	switch provisioner {
	case "rancher.io/local-path":
		return "/var/lib/lab-volumes"
	case "k8s.io/minikube-hostpath":
		return "/tmp/hostpath-provisioner"
	}
	return ""
}

// serve creates volumes of its node for pending claims, and removes those without a claim.
func (p provisioner) serve(ctx context.Context) error {
	claims, err := p.claims.List(labels.Everything())
	if err != nil {
		return err
	}
	var errs []error
	for _, claim := range claims {
		if volume := p.volume(claim); volume != nil {
			errs = append(errs, p.create(ctx, volume))
		}
	}
	volumes, err := p.volumes.List(labels.Everything())
	if err != nil {
		return err
	}
	for _, volume := range volumes {
		if directoryOf(volume.Annotations[provisionedBy]) != "" && volume.Status.Phase == corev1.VolumeReleased &&
			volume.Spec.PersistentVolumeReclaimPolicy == corev1.PersistentVolumeReclaimDelete {
			err := p.client.CoreV1().PersistentVolumes().Delete(ctx, volume.Name, metav1.DeleteOptions{})
			if err != nil && !apierrors.IsNotFound(err) {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

// create creates a volume and its directory. As with the published provisioners, every user may write to it.
func (p provisioner) create(ctx context.Context, volume *corev1.PersistentVolume) error {
	if err := makeDirectory(volume.Spec.HostPath.Path); err != nil {
		return err
	}
	_, err := p.client.CoreV1().PersistentVolumes().Create(ctx, volume, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// makeDirectory creates a directory that every user may write to, whatever the umask is.
func makeDirectory(path string) error {
	if err := os.MkdirAll(path, 0o777); err != nil {
		return err
	}
	return os.Chmod(path, 0o777)
}

// volume returns the volume to create for a claim; nil if it has one, is not ours, waits for a pod, or belongs on
// another node.
func (p provisioner) volume(claim *corev1.PersistentVolumeClaim) *corev1.PersistentVolume {
	if claim.Spec.VolumeName != "" || claim.Spec.StorageClassName == nil {
		return nil
	}
	class, err := p.classes.Get(*claim.Spec.StorageClassName)
	if err != nil || directoryOf(class.Provisioner) == "" {
		return nil
	}
	node := claim.Annotations[selectedNode]
	waits := class.VolumeBindingMode != nil && *class.VolumeBindingMode == storagev1.VolumeBindingWaitForFirstConsumer
	if node != p.node && (waits || node != "") {
		return nil
	}
	reclaim, kind := corev1.PersistentVolumeReclaimDelete, corev1.HostPathDirectory
	if class.ReclaimPolicy != nil {
		reclaim = *class.ReclaimPolicy
	}
	name := "pvc-" + string(claim.UID)
	volume := &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{provisionedBy: class.Provisioner}},
		Spec: corev1.PersistentVolumeSpec{
			PersistentVolumeReclaimPolicy: reclaim, StorageClassName: class.Name, AccessModes: claim.Spec.AccessModes,
			Capacity: claim.Spec.Resources.Requests,
			ClaimRef: &corev1.ObjectReference{Kind: "PersistentVolumeClaim", APIVersion: "v1", Namespace: claim.Namespace,
				Name: claim.Name, UID: claim.UID},
			PersistentVolumeSource: corev1.PersistentVolumeSource{
				HostPath: &corev1.HostPathVolumeSource{Path: path.Join(directoryOf(class.Provisioner), name), Type: &kind}},
		},
	}
	volume.Spec.NodeAffinity = &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
		MatchExpressions: []corev1.NodeSelectorRequirement{{Key: corev1.LabelHostname,
			Operator: corev1.NodeSelectorOpIn, Values: []string{p.node}}}}}}}
	return volume
}
