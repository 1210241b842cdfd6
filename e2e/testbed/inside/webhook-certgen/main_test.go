package main

import (
	"crypto/x509"
	"encoding/pem"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

// TestJobs runs the jobs as a chart does, the first one twice. Webhooks must trust the certificate in the secret.
func TestJobs(t *testing.T) {
	t.Parallel()
	name := metav1.ObjectMeta{Name: "w"}
	client := fake.NewClientset(
		&admissionv1.MutatingWebhookConfiguration{ObjectMeta: name, Webhooks: []admissionv1.MutatingWebhook{{Name: "m"}}},
		&admissionv1.ValidatingWebhookConfiguration{ObjectMeta: name, Webhooks: []admissionv1.ValidatingWebhook{{Name: "v"}}})
	create := []string{"create", "--namespace=n", "--secret-name=s", "--host=a,a.n.svc"}
	for _, args := range [][]string{create, create, {"patch", "--namespace=n", "--secret-name=s", "--webhook-name=w", "--patch-failure-policy=Ignore"}} {
		if err := run(t.Context(), client, args); err != nil {
			t.Fatalf("%q: %v", args, err)
		}
	}
	secret, err := client.CoreV1().Secrets("n").Get(t.Context(), "s", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(secret.Data["cert"])
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil || cert.VerifyHostname("a.n.svc") != nil || cert.VerifyHostname("a") != nil {
		t.Errorf("certificate for %q, %v", cert.DNSNames, err)
	}
	hooks := client.AdmissionregistrationV1()
	m, err := hooks.MutatingWebhookConfigurations().Get(t.Context(), "w", metav1.GetOptions{})
	if err != nil || string(m.Webhooks[0].ClientConfig.CABundle) != string(secret.Data["ca"]) || *m.Webhooks[0].FailurePolicy != "Ignore" {
		t.Errorf("mutating: %+v, %v", m.Webhooks, err)
	}
	v, err := hooks.ValidatingWebhookConfigurations().Get(t.Context(), "w", metav1.GetOptions{})
	if err != nil || string(v.Webhooks[0].ClientConfig.CABundle) != string(secret.Data["ca"]) || *v.Webhooks[0].FailurePolicy != "Ignore" {
		t.Errorf("validating: %+v, %v", v.Webhooks, err)
	}
}
