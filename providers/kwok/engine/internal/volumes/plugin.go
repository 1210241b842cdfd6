package volumes

import (
	"errors"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/volume"
	"k8s.io/kubernetes/pkg/volume/util/recyclerclient"
)

// pluginName is the name of the plugin in events and metrics.
const pluginName = "kwok.x-k8s.io/simulated"

// errNoMount is the error of mounts. No kubelet runs, so nothing should mount.
var errNoMount = errors.New("volumes of this cluster are simulated and cannot be mounted")

// plugin reclaims volumes of all kinds by doing nothing, because simulated volumes have no storage. The
// controller removes a released volume with the policy Delete from the API, and makes one with the policy
// Recycle available again.
type plugin struct{}

func (plugin) Init(volume.VolumeHost) error { return nil }

func (plugin) GetPluginName() string { return pluginName }

func (plugin) GetVolumeName(spec *volume.Spec) (string, error) { return spec.Name(), nil }

func (plugin) CanSupport(*volume.Spec) bool { return true }

func (plugin) RequiresRemount(*volume.Spec) bool { return false }

func (plugin) NewMounter(*volume.Spec, *corev1.Pod) (volume.Mounter, error) { return nil, errNoMount }

func (plugin) NewUnmounter(string, types.UID) (volume.Unmounter, error) { return nil, errNoMount }

func (plugin) ConstructVolumeSpec(string, string) (volume.ReconstructedVolume, error) {
	return volume.ReconstructedVolume{}, errNoMount
}

func (plugin) SupportsMountOption() bool { return true }

func (plugin) SupportsSELinuxContextMount(*volume.Spec) (bool, error) { return false, nil }

// Recycle does nothing: there is no content to remove.
func (plugin) Recycle(string, *volume.Spec, recyclerclient.RecycleEventRecorder) error { return nil }

func (plugin) NewDeleter(klog.Logger, *volume.Spec) (volume.Deleter, error) { return &deleter{}, nil }

// deleter has no storage to delete.
type deleter struct{ volume.MetricsNil }

func (*deleter) GetPath() string { return "" }

func (*deleter) Delete() error { return nil }
