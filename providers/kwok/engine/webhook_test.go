package main

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// createHook has every creation of a resource checked by whoever answers at.
func createHook(c *cluster, at admissionv1.WebhookClientConfig, resource string) {
	c.t.Helper()
	none := admissionv1.SideEffectClassNone
	hook := &admissionv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: resource},
		Webhooks: []admissionv1.ValidatingWebhook{{
			Name: resource + ".example.org", SideEffects: &none, AdmissionReviewVersions: []string{"v1"}, ClientConfig: at,
			Rules: []admissionv1.RuleWithOperations{{
				Operations: []admissionv1.OperationType{admissionv1.Create},
				Rule:       admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{resource}},
			}},
		}},
	}
	if _, err := c.client().AdmissionregistrationV1().ValidatingWebhookConfigurations().Create(c.t.Context(), hook, metav1.CreateOptions{}); err != nil {
		c.t.Fatal(err)
	}
}

// A developer's own webhook, running on this machine, is not of the cluster's
// network.
func checkWebhookURL(t *testing.T, c *cluster) {
	own := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, answerTo(r))
	}))
	defer own.Close()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: own.Certificate().Raw})
	createHook(c, admissionv1.WebhookClientConfig{URL: &own.URL, CABundle: ca}, "resourcequotas")

	quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{GenerateName: "q-"}}
	c.eventually(10*time.Second, func(ctx context.Context) error {
		_, err := c.client().CoreV1().ResourceQuotas("default").Create(ctx, quota, metav1.CreateOptions{})
		if err == nil || !strings.Contains(err.Error(), "the developer says no") {
			return missing("got %v", err)
		}
		return nil
	})
}

// answerTo refuses what a request asks about.
func answerTo(r *http.Request) string {
	var review struct{ Request struct{ UID string } }
	if err := json.NewDecoder(r.Body).Decode(&review); err != nil {
		return err.Error()
	}
	return fmt.Sprintf(`{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":`+
		`{"uid":%q,"allowed":false,"status":{"message":"the developer says no"}}}`, review.Request.UID)
}
