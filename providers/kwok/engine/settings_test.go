package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const kwokctl = "apiVersion: config.kwok.x-k8s.io/v1alpha1\nkind: KwokctlConfiguration\n"

// argument is a configuration with one argument of a component.
func argument(component, key, value string) string {
	return kwokctl + "componentsPatches: [{name: " + component + ", extraArgs: [{key: " + key + ", value: \"" + value + "\"}]}]\n"
}

// A configuration that cannot work is refused before anything exists, in the words of
// the component that it is for.
func TestCheckRefuses(t *testing.T) {
	t.Parallel()
	const refused = "is not allowed: "
	tests := map[string]struct{ text, want string }{
		"unknown feature gate":     {kwokctl + "options: {kubeFeatureGates: Foo=true}", "unrecognized feature gate: Foo"},
		"gate without a value":     {kwokctl + "options: {kubeFeatureGates: Foo}", "missing bool value for Foo"},
		"gate as an argument":      {argument("kube-scheduler", "feature-gates", "Foo=true"), "unrecognized feature gate: Foo"},
		"unknown API":              {kwokctl + "options: {kubeRuntimeConfig: nope.example.org/v1=true}", "unknown api groups nope.example.org/v1"},
		"unknown option":           {kwokctl + "options: {runtime: docker}", `KwokctlConfiguration: unknown field "runtime"`},
		"unknown component":        {argument("etcd", "a", "b"), `the component "etcd"`},
		"unknown argument":         {argument("kube-scheduler", "nope", "b"), "unknown flag: --nope"},
		"bad value":                {argument("kube-apiserver", "max-requests-inflight", "many"), `invalid argument "many"`},
		"unknown admission plugin": {argument("kube-apiserver", "enable-admission-plugins", "Nope"), `plugin "Nope" is unknown`},
		"bind address":             {argument("kube-apiserver", "bind-address", "0.0.0.0"), "set by the engine"},
		"bind address with dashes": {argument("kube-apiserver", "--bind-address", "0.0.0.0"), "set by the engine"},
		"port":                     {argument("kube-controller-manager", "secure-port", "10257"), "set by the engine"},
		"etcd elsewhere":           {argument("kube-apiserver", "etcd-servers", "http://example.org"), "set by the engine"},
		"log elsewhere":            {argument("kube-apiserver", "audit-log-path", "/tmp/log"), refused},
		"certificates elsewhere":   {argument("kube-apiserver", "cert-dir", "/tmp/x"), refused},
		"kubeconfig":               {argument("kube-scheduler", "authentication-kubeconfig", "/x"), refused},
		"authorization file":       {argument("kube-apiserver", "authorization-config", "/x"), refused},
		"encryption file":          {argument("kube-apiserver", "encryption-provider-config", "/x"), refused},
		"webhook file":             {argument("kube-apiserver", "audit-webhook-config-file", "/x"), refused},
		"socket":                   {argument("kube-apiserver", "service-account-signing-endpoint", "/x"), refused},
		"plugins' directory":       {argument("kube-controller-manager", "flex-volume-plugin-dir", "/x"), refused},
		"recycler's pod":           {argument("kube-controller-manager", "pv-recycler-pod-template-filepath-hostpath", "/x"), refused},
		"volumes on the host":      {argument("kube-controller-manager", "enable-hostpath-provisioner", "true"), refused},
		"host's logs":              {argument("kube-apiserver", "enable-logs-handler", "true"), refused},
		"volume controllers":       {argument("kube-controller-manager", "controllers", "*"), "set by the engine"},
		"scheduler's output":       {argument("kube-scheduler", "write-config-to", "/x"), refused},
		"audit policy in a file":   {kwokctl + "options: {kubeAuditPolicy: audit.yaml}", "the file audit.yaml cannot be read"},
		"scheduler in a file":      {kwokctl + "options: {kubeSchedulerConfig: s.yaml}", "the file s.yaml cannot be read"},
		"audit level":              {"apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Nope}]", `Unsupported value: "Nope"`},
		"audit field":              {"apiVersion: audit.k8s.io/v1\nkind: Policy\nrulez: []", `Policy: unknown field "rulez"`},
		"scheduler field":          {"apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\nprofilez: []", `unknown field "profilez"`},
		"scheduler plugin": {"apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n" +
			"profiles: [{schedulerName: s, plugins: {score: {enabled: [{name: Nope}]}}}]", `plugin "Nope" does not exist`},
		"scheduler's connection": {"apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n" +
			"clientConnection: {kubeconfig: /x}", "set by the engine"},
		"scheduler's certificate": {"apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n" +
			"extenders: [{urlPrefix: 'https://127.0.0.1', tlsConfig: {caFile: /x}}]", `"extenders[0].tlsConfig.caFile" names a file`},
		"admission file": {"apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\n" +
			"plugins: [{name: PodSecurity, path: /x}]", `"plugins[0].path" names a file`},
		"admission field": {"apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\npluginz: []", `unknown field "pluginz"`},
		"another kind":    {kwokctl + "---\napiVersion: v1\nkind: Pod\n", `document 2: a "Pod" of "v1" does not configure`},
		"no YAML":         {"a: [", "document 1: "},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &cluster{t: t, dir: t.TempDir()}
			cmd := c.engine("check")
			temporary := t.TempDir()
			cmd.Env = append(cmd.Env, "TMPDIR="+temporary)
			cmd.Stdin = strings.NewReader(test.text)
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), test.want) || bytes.Count(out, []byte("\n")) > 1 {
				t.Errorf("%v, said %q, not %q in one line", err, out, test.want)
			}
			if left, _ := os.ReadDir(temporary); len(left) > 0 {
				t.Errorf("left %v", left)
			}
		})
	}
}

const configured = kwokctl + `options:
  kubeFeatureGates: HPAScaleToZero=false
  kubeRuntimeConfig: api/alpha=true
componentsPatches:
- name: kube-apiserver
  extraArgs:
  - {key: enable-admission-plugins, value: AlwaysPullImages}
  - {key: service-node-port-range, value: 31000-31010}
- name: kube-controller-manager
  extraArgs:
  - {key: terminated-pod-gc-threshold, value: "5"}
---
apiVersion: audit.k8s.io/v1
kind: Policy
rules: [{level: Metadata}]
---
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
profiles: [{schedulerName: default-scheduler}, {schedulerName: second}]
---
apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
- name: PodSecurity
  configuration:
    apiVersion: pod-security.admission.config.k8s.io/v1
    kind: PodSecurityConfiguration
    defaults: {enforce: baseline, enforce-version: latest}
`

// Whatever is configured has its effect, after a restart too.
func TestConfigured(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 0)
	c.configure(configured)
	check := c.engine("check")
	check.Stdin = strings.NewReader(configured)
	if out, err := check.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for range 2 {
		c.serve()
		checkConfigured(c)
		c.stop()
	}
	if log := c.tail("audit/audit.log"); !strings.Contains(log, `"kind":"Event"`) {
		t.Errorf("audit log ends %q", log)
	}
}

func checkConfigured(c *cluster) {
	c.t.Helper()
	pods := c.client().CoreV1().Pods("default")
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "p-"},
		Spec: corev1.PodSpec{
			SchedulerName: "second",
			Containers:    []corev1.Container{{Name: "c", Image: "example.org/c:v1", ImagePullPolicy: corev1.PullNever}},
		},
	}
	created, err := pods.Create(c.t.Context(), pod, metav1.CreateOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
	if got := created.Spec.Containers[0].ImagePullPolicy; got != corev1.PullAlways {
		c.t.Errorf("the plugin AlwaysPullImages left %s", got)
	}
	c.eventually(20*time.Second, func(ctx context.Context) error {
		got, err := pods.Get(ctx, created.Name, metav1.GetOptions{})
		if err == nil && got.Spec.NodeName == "" {
			err = missing("the second scheduler did not schedule the pod")
		}
		return err
	})
	pod.Spec.HostNetwork = true
	if _, err := pods.Create(c.t.Context(), pod, metav1.CreateOptions{}); err == nil || !strings.Contains(err.Error(), "PodSecurity") {
		c.t.Errorf("a pod that PodSecurity forbids: %v", err)
	}
	none := int32(0)
	hpa := &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: "h"},
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			MinReplicas: &none, MaxReplicas: 2,
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"},
		},
	}
	if _, err := c.client().AutoscalingV2().HorizontalPodAutoscalers("default").Create(c.t.Context(), hpa, metav1.CreateOptions{}); err == nil || !strings.Contains(err.Error(), "minReplicas") {
		c.t.Errorf("without the feature gate HPAScaleToZero: %v", err)
	}
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "s-"},
		Spec:       corev1.ServiceSpec{Type: corev1.ServiceTypeNodePort, Ports: []corev1.ServicePort{{Port: 80}}},
	}
	got, err := c.client().CoreV1().Services("default").Create(c.t.Context(), service, metav1.CreateOptions{})
	if err != nil || got.Spec.Ports[0].NodePort < 31000 || got.Spec.Ports[0].NodePort > 31010 {
		c.t.Errorf("node port is %v, %v", got.Spec.Ports, err)
	}
}
