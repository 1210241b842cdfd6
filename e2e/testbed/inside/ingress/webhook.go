package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clusterlab-dev/lab/e2e/testbed/inside/internal/certificate"
)

// serveWebhook answers admission reviews of Ingresses after delay. Until then the API server rejects Ingresses, as
// for any webhook that is not ready.
func (c *controller) serveWebhook(ctx context.Context, delay time.Duration) error {
	name := os.Getenv("WEBHOOK_SERVICE") // as NAME.NAMESPACE.svc; also the name of the ValidatingWebhookConfiguration
	if name == "" {
		<-ctx.Done()
		return nil
	}
	cert, key, err := certificate.SelfSigned(name)
	if err != nil {
		return err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return err
	}
	bundle, err := json.Marshal(cert)
	if err != nil {
		return err
	}
	patch := fmt.Appendf(nil, `[{"op":"add","path":"/webhooks/0/clientConfig/caBundle","value":%s}]`, bundle)
	configurations := c.client.AdmissionregistrationV1().ValidatingWebhookConfigurations()
	if _, err := configurations.Patch(ctx, os.Getenv("WEBHOOK_CONFIGURATION"), types.JSONPatchType, patch, metav1.PatchOptions{}); err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(delay):
	}
	server := newServer(ctx, ":8443", http.HandlerFunc(c.review))
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	if err := server.ListenAndServeTLS("", ""); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// review answers one admission review: an Ingress of the controller's class may refer to Services only.
func (c *controller) review(w http.ResponseWriter, r *http.Request) {
	var review admissionv1.AdmissionReview
	body, err := io.ReadAll(io.LimitReader(r.Body, 3<<20))
	if err == nil {
		err = json.Unmarshal(body, &review)
	}
	if err != nil || review.Request == nil {
		http.Error(w, "not an AdmissionReview", http.StatusBadRequest)
		return
	}
	response := &admissionv1.AdmissionResponse{UID: review.Request.UID, Allowed: true}
	var ingress networkingv1.Ingress
	if err := json.Unmarshal(review.Request.Object.Raw, &ingress); err != nil {
		response.Allowed, response.Result = false, &metav1.Status{Message: err.Error()}
	} else if reason := c.refusal(&ingress); reason != "" {
		response.Allowed, response.Result = false, &metav1.Status{Message: reason}
	}
	review.Request, review.Response = nil, response
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(review)
}

func (c *controller) refusal(ingress *networkingv1.Ingress) string {
	if !c.serves(ingress) {
		return ""
	}
	for _, rule := range ingress.Spec.Rules {
		if rule.HTTP == nil {
			continue
		}
		for _, path := range rule.HTTP.Paths {
			if path.Backend.Service == nil {
				return fmt.Sprintf("path %q of host %q: the backend must be a service", path.Path, rule.Host)
			}
		}
	}
	return ""
}
