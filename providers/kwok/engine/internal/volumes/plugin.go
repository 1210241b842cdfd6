package volumes

import (
	"errors"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/volume"
	"k8s.io/kubernetes/pkg/volume/util/recyclerclient"
)

// pluginName is what events and metrics call the plugin.
const pluginName = "kwok.x-k8s.io/simulated"

// errNoMount is returned where a kubelet would mount: none runs here.
var errNoMount = errors.New("volumes of this cluster are simulated and cannot be mounted")

// plugin reclaims volumes of every kind by doing nothing: no storage stands behind
// a volume of a simulated cluster. A released volume whose policy is Delete is
// removed from the API, one whose policy is Recycle becomes available again.
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

// Recycle has no contents to remove.
func (plugin) Recycle(string, *volume.Spec, recyclerclient.RecycleEventRecorder) error { return nil }

func (plugin) NewDeleter(klog.Logger, *volume.Spec) (volume.Deleter, error) { return &deleter{}, nil }

// deleter has no storage to delete.
type deleter struct{ volume.MetricsNil }

func (*deleter) GetPath() string { return "" }

func (*deleter) Delete() error { return nil }
