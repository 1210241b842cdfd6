package storage

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// wantedFrom is the annotation with the provisioner of a claim. The controller manager sets it when
	// provisioning may start: at once, or when the first pod is scheduled.
	wantedFrom = "volume.kubernetes.io/storage-provisioner"
	// madeBy is the annotation with the provisioner that created a volume.
	madeBy = "pv.kubernetes.io/provisioned-by"
	// chosenNode is the annotation with the node of the first pod, which the scheduler sets.
	chosenNode = "volume.kubernetes.io/selected-node"
)

// claim creates the volume of a claim that waits for one, or enlarges it.
func (p *provisioner) claim(ctx context.Context, k key) error {
	claim, err := p.claims.PersistentVolumeClaims(k.namespace).Get(k.name)
	if err != nil || claim.DeletionTimestamp != nil {
		return ignoreMissing(err)
	}
	if claim.Spec.VolumeName != "" {
		return p.enlarge(ctx, claim)
	}
	if claim.Annotations[wantedFrom] != Provisioner || claim.Spec.StorageClassName == nil {
		return nil
	}
	class, err := p.classes.Get(*claim.Spec.StorageClassName)
	if err != nil {
		return ignoreMissing(err)
	}
	if waits(class) && claim.Annotations[chosenNode] == "" {
		return nil
	}
	_, err = p.client.CoreV1().PersistentVolumes().Create(ctx, newVolume(claim, class), metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

func waits(class *storagev1.StorageClass) bool {
	return class.VolumeBindingMode != nil && *class.VolumeBindingMode == storagev1.VolumeBindingWaitForFirstConsumer
}

// newVolume returns the volume of a claim. It can be used from each node and in each access mode, because
// it stores nothing.
func newVolume(claim *corev1.PersistentVolumeClaim, class *storagev1.StorageClass) *corev1.PersistentVolume {
	name := "pvc-" + string(claim.UID)
	reclaim := corev1.PersistentVolumeReclaimDelete
	if class.ReclaimPolicy != nil {
		reclaim = *class.ReclaimPolicy
	}
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{madeBy: Provisioner}},
		Spec: corev1.PersistentVolumeSpec{
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: claim.Spec.Resources.Requests[corev1.ResourceStorage]},
			AccessModes:                   claim.Spec.AccessModes,
			VolumeMode:                    claim.Spec.VolumeMode,
			MountOptions:                  class.MountOptions,
			StorageClassName:              class.Name,
			PersistentVolumeReclaimPolicy: reclaim,
			PersistentVolumeSource:        corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{Driver: Provisioner, VolumeHandle: name}},
			ClaimRef: &corev1.ObjectReference{
				APIVersion: "v1", Kind: "PersistentVolumeClaim",
				Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID, ResourceVersion: claim.ResourceVersion,
			},
		},
	}
}

// enlarge gives a bound claim and its volume the size that the claim asks for.
func (p *provisioner) enlarge(ctx context.Context, claim *corev1.PersistentVolumeClaim) error {
	wanted, has := claim.Spec.Resources.Requests[corev1.ResourceStorage], claim.Status.Capacity[corev1.ResourceStorage]
	if claim.Status.Phase != corev1.ClaimBound || wanted.Cmp(has) <= 0 {
		return nil
	}
	volume, err := p.volumes.Get(claim.Spec.VolumeName)
	if err != nil || !simulated(volume) {
		return ignoreMissing(err)
	}
	if size := volume.Spec.Capacity[corev1.ResourceStorage]; wanted.Cmp(size) > 0 {
		volume = volume.DeepCopy()
		volume.Spec.Capacity = corev1.ResourceList{corev1.ResourceStorage: wanted}
		if _, err := p.client.CoreV1().PersistentVolumes().Update(ctx, volume, metav1.UpdateOptions{}); err != nil {
			return err
		}
	}
	claim = claim.DeepCopy()
	claim.Status.Capacity = corev1.ResourceList{corev1.ResourceStorage: wanted}
	_, err = p.client.CoreV1().PersistentVolumeClaims(claim.Namespace).UpdateStatus(ctx, claim, metav1.UpdateOptions{})
	return err
}

// volume removes a volume whose claim was deleted, if its reclaim policy is Delete.
func (p *provisioner) volume(ctx context.Context, k key) error {
	volume, err := p.volumes.Get(k.name)
	if err != nil {
		return ignoreMissing(err)
	}
	if !simulated(volume) || volume.DeletionTimestamp != nil || volume.Status.Phase != corev1.VolumeReleased ||
		volume.Spec.PersistentVolumeReclaimPolicy != corev1.PersistentVolumeReclaimDelete {
		return nil
	}
	uid := volume.UID
	return ignoreMissing(p.client.CoreV1().PersistentVolumes().Delete(ctx, k.name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}}))
}

// simulated reports whether this package created the volume.
func simulated(volume *corev1.PersistentVolume) bool {
	return volume.Annotations[madeBy] == Provisioner && volume.Spec.CSI != nil && volume.Spec.CSI.Driver == Provisioner
}

func ignoreMissing(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
