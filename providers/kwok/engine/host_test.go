package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/kwok/kustomize/crd"

	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/dir"
)

// sentinels are directories of the machine that no object may touch.
type sentinels struct {
	t     *testing.T
	roots []string
	was   map[string]string
}

// newSentinels makes one directory below /tmp, and one elsewhere that has a /tmp/ in
// its path: that is what Kubernetes' own deleter of hostPath volumes looks for.
func newSentinels(t *testing.T) *sentinels {
	t.Helper()
	s := &sentinels{t: t}
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, parent := range []string{"/tmp", here} {
		root, err := os.MkdirTemp(parent, "lab-sentinel-")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(root) })
		precious := filepath.Join(root, "tmp", "thesis")
		if err := os.MkdirAll(precious, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(precious, "file"), []byte("secret work\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		s.roots = append(s.roots, root)
	}
	s.was = s.read()
	return s
}

// precious is the directory below the root of that number that holds a file.
func (s *sentinels) precious(root int) string { return filepath.Join(s.roots[root], "tmp", "thesis") }

func (s *sentinels) read() map[string]string {
	s.t.Helper()
	tree := map[string]string{}
	for _, root := range s.roots {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				tree[path] = "directory"
				return err
			}
			text, err := os.ReadFile(path)
			tree[path] = string(text)
			return err
		})
		if err != nil {
			s.t.Error(err)
		}
	}
	return tree
}

func (s *sentinels) check() {
	s.t.Helper()
	if diff := cmp.Diff(s.was, s.read()); diff != "" {
		s.t.Errorf("files of the machine changed (-want +got)\n%s", diff)
	}
}

// Whatever objects are applied, the machine's files stay as they are.
func TestHostIsUntouched(t *testing.T) {
	t.Parallel()
	s := newSentinels(t)
	c := newCluster(t, 0)
	c.serve()
	t.Run("time zone", func(t *testing.T) { checkTimeZone(t, c.as(t)) })
	t.Run("persistent volumes", func(t *testing.T) { checkVolumes(t, c.as(t), s) })
	t.Run("hostPath pods", func(t *testing.T) { checkHostPathPods(t, c.as(t), s) })
	t.Run("KWOK's objects", func(t *testing.T) { checkKwokObjects(t, c.as(t), s) })
	s.check()
	c.stop()
	s.check()
	log, err := os.ReadFile(c.path(dir.LogFile))
	switch {
	case err != nil || strings.Contains(string(log), "Cannot confine the engine"):
		t.Errorf("the engine could not confine itself: %v", err)
	case strings.Contains(string(log), "The kernel has no Landlock"):
		t.Log("the kernel has no Landlock, so the engine was not confined")
	case !strings.Contains(string(log), "The engine is confined to"):
		t.Error("the log does not say whether the engine is confined")
	}
}

// sources are all kinds of persistent volumes that the API has, as far as they name
// anything, with that path for a name.
func sources(path string) []corev1.PersistentVolumeSource {
	secret := &corev1.SecretReference{Name: "s", Namespace: "default"}
	return []corev1.PersistentVolumeSource{
		{HostPath: &corev1.HostPathVolumeSource{Path: path}},
		{Local: &corev1.LocalVolumeSource{Path: path}},
		{NFS: &corev1.NFSVolumeSource{Server: "127.0.0.1", Path: path}},
		{ISCSI: &corev1.ISCSIPersistentVolumeSource{TargetPortal: "127.0.0.1", IQN: "iqn.2026-01.org.example:a"}},
		{FC: &corev1.FCVolumeSource{WWIDs: []string{path}}},
		{CSI: &corev1.CSIPersistentVolumeSource{Driver: "csi.example.org", VolumeHandle: path}},
		{FlexVolume: &corev1.FlexPersistentVolumeSource{Driver: "example.org/flex", Options: map[string]string{"path": path}}},
		{GCEPersistentDisk: &corev1.GCEPersistentDiskVolumeSource{PDName: "disk"}},
		{AWSElasticBlockStore: &corev1.AWSElasticBlockStoreVolumeSource{VolumeID: path}},
		{Glusterfs: &corev1.GlusterfsPersistentVolumeSource{EndpointsName: "e", Path: path}},
		{RBD: &corev1.RBDPersistentVolumeSource{CephMonitors: []string{"127.0.0.1"}, RBDImage: path, Keyring: path}},
		{Cinder: &corev1.CinderPersistentVolumeSource{VolumeID: path}},
		{CephFS: &corev1.CephFSPersistentVolumeSource{Monitors: []string{"127.0.0.1"}, Path: path, SecretFile: path}},
		{Flocker: &corev1.FlockerVolumeSource{DatasetUUID: "u"}},
		{AzureFile: &corev1.AzureFilePersistentVolumeSource{SecretName: "s", ShareName: path, SecretNamespace: &secret.Namespace}},
		{VsphereVolume: &corev1.VsphereVirtualDiskVolumeSource{VolumePath: path}},
		{Quobyte: &corev1.QuobyteVolumeSource{Registry: "127.0.0.1:1", Volume: path}},
		{AzureDisk: &corev1.AzureDiskVolumeSource{DiskName: "d", DataDiskURI: "https://example.org/d"}},
		{PhotonPersistentDisk: &corev1.PhotonPersistentDiskVolumeSource{PdID: path}},
		{PortworxVolume: &corev1.PortworxVolumeSource{VolumeID: path}},
		{ScaleIO: &corev1.ScaleIOPersistentVolumeSource{Gateway: "https://127.0.0.1", System: "s", SecretRef: secret, VolumeName: path}},
		{StorageOS: &corev1.StorageOSPersistentVolumeSource{VolumeName: "v", VolumeNamespace: "n"}},
	}
}

// kindOf is the name of the one field of a source that is set.
func kindOf(source corev1.PersistentVolumeSource) string {
	v := reflect.ValueOf(source)
	for i := range v.NumField() {
		if !v.Field(i).IsNil() {
			return v.Type().Field(i).Name
		}
	}
	return ""
}

// checkVolumes binds a volume of every kind with every policy, and releases it.
func checkVolumes(t *testing.T, c *cluster, s *sentinels) {
	tested := map[string]bool{}
	bound := map[string]corev1.PersistentVolumeReclaimPolicy{}
	client := c.client()
	for root := range s.roots {
		for _, source := range sources(s.precious(root)) {
			if root > 0 && source.HostPath == nil && source.Local == nil {
				continue // these mean the same on every root
			}
			tested[kindOf(source)] = true
			for _, policy := range []corev1.PersistentVolumeReclaimPolicy{"Delete", "Recycle", "Retain"} {
				name := strings.ToLower(fmt.Sprintf("%s-%s-%d", kindOf(source), policy, root))
				createVolume(t, client, name, source, policy)
				bound[name] = policy
			}
		}
	}
	for i := range reflect.TypeFor[corev1.PersistentVolumeSource]().NumField() {
		if kind := reflect.TypeFor[corev1.PersistentVolumeSource]().Field(i).Name; !tested[kind] {
			t.Errorf("volumes of the kind %s are not tested", kind)
		}
	}
	eachVolume(c, bound, func(policy corev1.PersistentVolumeReclaimPolicy, pv *corev1.PersistentVolume) bool {
		return pv != nil && pv.Status.Phase == corev1.VolumeBound
	})
	err := c.client().CoreV1().PersistentVolumeClaims("default").DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	eachVolume(c, bound, released)
}

// released reports whether a volume that lost its claim is in its last state.
func released(policy corev1.PersistentVolumeReclaimPolicy, pv *corev1.PersistentVolume) bool {
	switch {
	case policy == corev1.PersistentVolumeReclaimDelete && pv == nil:
		return true
	case pv == nil:
		return false
	case policy == corev1.PersistentVolumeReclaimRecycle:
		return pv.Status.Phase == corev1.VolumeAvailable
	case policy == corev1.PersistentVolumeReclaimRetain:
		return pv.Status.Phase == corev1.VolumeReleased
	}
	// Kubernetes leaves these to a CSI driver, and no driver runs.
	_, migrated := pv.Annotations["pv.kubernetes.io/migrated-to"]
	return (migrated || pv.Spec.CSI != nil) && pv.Status.Phase == corev1.VolumeReleased
}

func createVolume(t *testing.T, client kubernetes.Interface, name string, source corev1.PersistentVolumeSource, policy corev1.PersistentVolumeReclaimPolicy) {
	t.Helper()
	none, size := "", corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}
	modes := []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}
	pv := &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PersistentVolumeSpec{
			Capacity: size, AccessModes: modes, PersistentVolumeSource: source, PersistentVolumeReclaimPolicy: policy,
			NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
				MatchExpressions: []corev1.NodeSelectorRequirement{{Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpExists}},
			}}}},
		},
	}
	if _, err := client.CoreV1().PersistentVolumes().Create(t.Context(), pv, metav1.CreateOptions{}); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	pvc := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PersistentVolumeClaimSpec{
			StorageClassName: &none, VolumeName: name, AccessModes: modes, Resources: corev1.VolumeResourceRequirements{Requests: size},
		},
	}
	if _, err := client.CoreV1().PersistentVolumeClaims("default").Create(t.Context(), pvc, metav1.CreateOptions{}); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

// eachVolume waits until all volumes are as they should be; one that does not exist
// is nil.
func eachVolume(c *cluster, want map[string]corev1.PersistentVolumeReclaimPolicy, good func(corev1.PersistentVolumeReclaimPolicy, *corev1.PersistentVolume) bool) {
	c.t.Helper()
	client := c.client()
	c.eventually(3*time.Minute, func(ctx context.Context) error {
		list, err := client.CoreV1().PersistentVolumes().List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		exist := map[string]*corev1.PersistentVolume{}
		for i := range list.Items {
			exist[list.Items[i].Name] = &list.Items[i]
		}
		for name, policy := range want {
			if pv := exist[name]; !good(policy, pv) {
				if pv == nil {
					return missing("%s does not exist", name)
				}
				return missing("%s is %s: %s", name, pv.Status.Phase, pv.Status.Message)
			}
		}
		return nil
	})
}

// checkHostPathPods runs pods whose volumes a kubelet would create on the machine.
func checkHostPathPods(t *testing.T, c *cluster, s *sentinels) {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "host"},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "example.org/web:v1"}}},
	}
	for root := range s.roots {
		for i, kind := range []corev1.HostPathType{"", corev1.HostPathDirectoryOrCreate, corev1.HostPathFileOrCreate, corev1.HostPathSocket} {
			pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{
				Name: fmt.Sprintf("v%d-%d", root, i),
				VolumeSource: corev1.VolumeSource{
					HostPath: &corev1.HostPathVolumeSource{Path: filepath.Join(s.roots[root], "new", fmt.Sprint(i)), Type: &kind},
				},
			})
		}
	}
	pods := c.client().CoreV1().Pods("default")
	c.eventually(20*time.Second, func(ctx context.Context) error { // its service account may have to be made first
		_, err := pods.Create(ctx, pod, metav1.CreateOptions{})
		return err
	})
	c.eventually(20*time.Second, func(ctx context.Context) error {
		got, err := pods.Get(ctx, "host", metav1.GetOptions{})
		if err == nil && got.Status.Phase != corev1.PodRunning {
			err = missing("pod is %s", got.Status.Phase)
		}
		return err
	})
}

// checkKwokObjects applies the kinds by which KWOK runs commands and reads files,
// their definitions included: they must have no effect here.
func checkKwokObjects(t *testing.T, c *cluster, s *sentinels) {
	apply := func(text string) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "objects.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := c.kubectl("apply", "-f", file); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	for _, definition := range [][]byte{
		crd.Attach, crd.ClusterAttach, crd.Exec, crd.ClusterExec, crd.Logs, crd.ClusterLogs, crd.PortForward, crd.ClusterPortForward,
	} {
		apply(string(definition))
	}
	if out, err := c.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	secret, trace := filepath.Join(s.precious(0), "file"), filepath.Join(s.precious(1), "trace")
	for kind, spec := range map[string]string{
		"Logs":        fmt.Sprintf("logs: [{logsFile: %q}]", secret),
		"Attach":      fmt.Sprintf("attaches: [{logsFile: %q}]", secret),
		"Exec":        "execs: [{local: {}}]",
		"PortForward": fmt.Sprintf("forwards: [{command: [touch, %q]}]", trace),
	} {
		apply(fmt.Sprintf("apiVersion: kwok.x-k8s.io/v1alpha1\nkind: %s\nmetadata: {name: host, namespace: default}\nspec: {%s}\n", kind, spec))
		cluster := "Cluster" + kind
		apply(fmt.Sprintf("apiVersion: kwok.x-k8s.io/v1alpha1\nkind: %s\nmetadata: {name: all}\nspec: {%s}\n", cluster, spec))
	}
	for _, args := range [][]string{
		{"logs", "host"},
		{"attach", "host"},
		{"exec", "host", "--", "cat", secret},
		{"exec", "host", "--", "touch", trace},
	} {
		out, err := c.kubectl(args...)
		if err == nil || strings.Contains(out, "secret work") {
			t.Errorf("kubectl %s: %v: %s", args, err, out)
		}
	}
}

// checkTimeZone creates a CronJob that names a time zone. The engine cannot read the
// machine's database of them: it must bring its own.
func checkTimeZone(t *testing.T, c *cluster) {
	zone := "Europe/Zurich"
	job := &batchv1.CronJob{
		ObjectMeta: metav1.ObjectMeta{Name: "nightly"},
		Spec: batchv1.CronJobSpec{
			Schedule: "0 3 * * *", TimeZone: &zone,
			JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
				RestartPolicy: corev1.RestartPolicyNever,
				Containers:    []corev1.Container{{Name: "c", Image: "example.org/c:v1"}},
			}}}},
		},
	}
	if _, err := c.client().BatchV1().CronJobs("default").Create(t.Context(), job, metav1.CreateOptions{}); err != nil {
		t.Error(err)
	}
}
