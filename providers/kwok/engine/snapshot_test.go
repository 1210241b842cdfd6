package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/dir"
)

// TestSnapshot saves a running and a stopped cluster, and restores two clusters beside it.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	source := newCluster(t, 1)
	source.serve()
	populate(source)
	token := source.awaitToken("")
	file := filepath.Join(t.TempDir(), "running.db")
	if out, err := source.engine("snapshot", "--dir", source.dir, "--to", file).CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("%v\n%s", err, out)
	}
	source.checkCredentials(file, token)
	if got := source.awaitToken(""); got != token {
		t.Error("the token of the source changed")
	}
	first, second := restoreFrom(t, file), restoreFrom(t, file)
	for _, c := range []*cluster{first, second} {
		c.checkContents(t)
		c.checkStrangers(t, source, token)
		c.awaitToken(token)
	}
	if bytes.Equal(first.file("pki/ca.crt"), second.file("pki/ca.crt")) || bytes.Equal(first.file("pki/sa.key"), second.file("pki/sa.key")) {
		t.Error("two clusters share a key")
	}

	source.stop()
	stopped := filepath.Join(t.TempDir(), "stopped.db")
	if out, err := source.engine("snapshot", "--dir", source.dir, "--to", stopped).CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := source.status().Phase; got != dir.Stopped {
		t.Errorf("the phase is %q", got)
	}
	restoreFrom(t, stopped).checkContents(t)
	source.serve() // it still can
}

// TestDamagedSnapshot checks that files that are not complete are refused, and that a directory with data
// is not overwritten.
func TestDamagedSnapshot(t *testing.T) {
	t.Parallel()
	source := newCluster(t, 0)
	source.serve()
	source.stop()
	file := filepath.Join(t.TempDir(), "whole.db")
	if out, err := source.engine("snapshot", "--dir", source.dir, "--to", file).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(raw)
	flipped[len(flipped)/2] ^= 1
	for name, content := range map[string][]byte{"empty": nil, "truncated": raw[:len(raw)/2], "flipped": flipped} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		c := newCluster(t, 0)
		if out, err := c.engine("restore", "--dir", c.dir, "--from", path).CombinedOutput(); err == nil {
			t.Errorf("%s: restored: %s", name, out)
		} else {
			t.Logf("%s: %s", name, out)
		}
		if _, err := os.Stat(c.path(dir.StatusFile)); err == nil {
			t.Errorf("%s: the cluster looks complete", name)
		}
	}
	if out, err := source.engine("restore", "--dir", source.dir, "--from", file).CombinedOutput(); err == nil {
		t.Errorf("data was overwritten: %s", out)
	}
	source.serve()
}

// populate creates what a snapshot must keep, and what it must not.
func populate(c *cluster) {
	c.t.Helper()
	ctx, client := c.t.Context(), c.client()
	holder, seconds, now := "someone", int32(3600), metav1.NowMicro()
	_, err1 := client.CoreV1().Secrets("default").Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "robot", Annotations: map[string]string{corev1.ServiceAccountNameKey: "default"}},
		Type:       corev1.SecretTypeServiceAccountToken, Data: map[string][]byte{"note": []byte("mine")},
	}, metav1.CreateOptions{})
	_, err2 := client.CoreV1().Secrets("kube-system").Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "bootstrap-token-abcdef"}, Type: corev1.SecretTypeBootstrapToken,
		StringData: map[string]string{"token-id": "abcdef", "token-secret": "0123456789abcdef"},
	}, metav1.CreateOptions{})
	_, err3 := client.CoreV1().Secrets("default").Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "login"}, StringData: map[string]string{"password": "users-own-password"},
	}, metav1.CreateOptions{})
	_, err4 := client.CoordinationV1().Leases("default").Create(ctx, &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: "operator"},
		Spec:       coordinationv1.LeaseSpec{HolderIdentity: &holder, LeaseDurationSeconds: &seconds, RenewTime: &now},
	}, metav1.CreateOptions{})
	_, err5 := client.CoreV1().PersistentVolumeClaims("default").Create(ctx, &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: "disk"},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}},
		},
	}, metav1.CreateOptions{})
	_, err6 := client.CoreV1().Pods("default").Create(ctx, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: corev1.PodSpec{
			NodeSelector: map[string]string{corev1.LabelHostname: "demo-worker"},
			Containers:   []corev1.Container{{Name: "web", Image: "web", VolumeMounts: []corev1.VolumeMount{{Name: "disk", MountPath: "/disk"}}}},
			Volumes: []corev1.Volume{{Name: "disk", VolumeSource: corev1.VolumeSource{
				PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "disk"}}}},
		},
	}, metav1.CreateOptions{})
	if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
		c.t.Fatal(err)
	}
	c.eventually(time.Minute, c.podRuns)
}

func (c *cluster) podRuns(ctx context.Context) error {
	client := c.client()
	pod, err := client.CoreV1().Pods("default").Get(ctx, "web", metav1.GetOptions{})
	if err != nil {
		return err
	}
	claim, err := client.CoreV1().PersistentVolumeClaims("default").Get(ctx, "disk", metav1.GetOptions{})
	if err != nil {
		return err
	}
	if pod.Status.Phase != corev1.PodRunning || claim.Status.Phase != corev1.ClaimBound {
		return missing("the pod is %s, and its claim %s", pod.Status.Phase, claim.Status.Phase)
	}
	return nil
}

// awaitToken waits until the Secret has a token other than old, with the authority of the cluster.
func (c *cluster) awaitToken(old string) (token string) {
	c.t.Helper()
	authority := c.file("pki/ca.crt")
	c.eventually(time.Minute, func(ctx context.Context) error {
		secret, err := c.client().CoreV1().Secrets("default").Get(ctx, "robot", metav1.GetOptions{})
		if err != nil {
			return err
		}
		token = string(secret.Data[corev1.ServiceAccountTokenKey])
		if token == "" || token == old || !bytes.Equal(secret.Data[corev1.ServiceAccountRootCAKey], authority) || string(secret.Data["note"]) != "mine" {
			return missing("the Secret has %q", secret.Data)
		}
		return nil
	})
	return token
}

func (c *cluster) file(name string) []byte {
	c.t.Helper()
	raw, err := os.ReadFile(c.path(name))
	if err != nil {
		c.t.Fatal(err)
	}
	return raw
}

// checkCredentials checks that a snapshot has nothing with which anybody could use its source.
func (c *cluster) checkCredentials(file, token string) {
	c.t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		c.t.Fatal(err)
	}
	authority := strings.TrimSpace(string(c.file("pki/ca.crt")))
	for what, text := range map[string]string{
		"the token": token, "a bootstrap token": "0123456789abcdef", "the authority": authority,
		"a key": string(c.file("pki/sa.key")), "the encoded authority": base64.StdEncoding.EncodeToString([]byte(authority)),
		"the authority in JSON": strings.ReplaceAll(authority, "\n", `\n`), "a lease": "someone",
	} {
		if bytes.Contains(raw, []byte(text)) {
			c.t.Errorf("the snapshot contains %s", what)
		}
	}
	if !bytes.Contains(raw, []byte("users-own-password")) {
		c.t.Error("the snapshot does not contain the Secrets of the user")
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		c.t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(file + ".*"); len(left) > 0 {
		c.t.Errorf("left behind: %q", left)
	}
}

// restoreFrom starts a cluster with another name from a snapshot of the cluster demo.
func restoreFrom(t *testing.T, file string) *cluster {
	t.Helper()
	c := newCluster(t, 1)
	config, err := json.Marshal(dir.Config{APIVersion: "lab/v1alpha1", Kind: "EngineConfig", Name: "copy",
		ControlPlane: "demo-control-plane", NodePrefix: "demo", Workers: 1})
	if err := errors.Join(err, os.WriteFile(c.path(dir.ConfigFile), config, 0o600)); err != nil {
		t.Fatal(err)
	}
	if out, err := c.engine("restore", "--dir", c.dir, "--from", file).CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := c.status(); got.Phase != dir.Stopped || !got.EverReady {
		t.Errorf("the status is %+v", got)
	}
	c.serve()
	return c
}

func (c *cluster) checkContents(t *testing.T) {
	t.Helper()
	client := c.client()
	c.eventually(time.Minute, c.podRuns)
	nodes, err := client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil || len(nodes.Items) != 2 {
		t.Errorf("%d nodes, %v", len(nodes.Items), err)
	}
	if _, err := client.CoordinationV1().Leases("default").Get(t.Context(), "operator", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the lease of the source: %v", err)
	}
	if _, err := client.CoreV1().Secrets("kube-system").Get(t.Context(), "bootstrap-token-abcdef", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the bootstrap token of the source: %v", err)
	}
	authority := string(c.file("pki/ca.crt"))
	c.eventually(time.Minute, func(ctx context.Context) error {
		for key, object := range map[string][2]string{
			"ca.crt": {"default", "kube-root-ca.crt"}, "client-ca-file": {"kube-system", "extension-apiserver-authentication"},
		} {
			m, err := client.CoreV1().ConfigMaps(object[0]).Get(ctx, object[1], metav1.GetOptions{})
			if err != nil {
				return err
			}
			if strings.TrimSpace(m.Data[key]) != strings.TrimSpace(authority) {
				return missing("%s has another authority", object[1])
			}
		}
		return nil
	})
}

// checkStrangers checks that the cluster accepts neither the certificate nor the token of another one.
func (c *cluster) checkStrangers(t *testing.T, other *cluster, token string) {
	t.Helper()
	own, theirs := c.restConfig(), other.restConfig()
	for what, config := range map[string]*rest.Config{
		"a certificate": {Host: own.Host, TLSClientConfig: rest.TLSClientConfig{
			CAData: own.CAData, CertData: theirs.CertData, KeyData: theirs.KeyData}},
		"a token": {Host: own.Host, BearerToken: token, TLSClientConfig: rest.TLSClientConfig{CAData: own.CAData}},
	} {
		client, err := kubernetes.NewForConfig(config)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.CoreV1().Namespaces().List(t.Context(), metav1.ListOptions{}); !apierrors.IsUnauthorized(err) {
			t.Errorf("%s of the source: %v, want that it is unauthorized", what, err)
		}
	}
}
