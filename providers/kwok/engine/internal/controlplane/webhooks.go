package controlplane

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/initializer"
	"k8s.io/apiserver/pkg/util/webhook"
	"k8s.io/client-go/rest"

	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/egress"
)

// relaxWebhooks allows requests whose admission webhook only a simulated pod could answer, and warns the
// client. Other webhooks are called as usual: those with a server outside the cluster, and those that
// fail for another reason.
func relaxWebhooks(plugin admission.Interface, _ string) admission.Interface {
	if calls, ok := plugin.(initializer.WantsAuthenticationInfoResolverWrapper); ok {
		calls.SetAuthenticationInfoResolverWrapper(answerForPods)
	}
	return plugin
}

// answerForPods wraps next so that webhooks of Services with simulated pods are answered by the engine.
func answerForPods(next webhook.AuthenticationInfoResolver) webhook.AuthenticationInfoResolver {
	return &webhook.AuthenticationInfoResolverDelegator{
		ClientConfigForFunc: next.ClientConfigFor,
		ClientConfigForServiceFunc: func(name, namespace string, port int) (*rest.Config, error) {
			config, err := next.ClientConfigForService(name, namespace, port)
			if err != nil {
				return nil, err
			}
			config = rest.CopyConfig(config)
			config.Wrap(func(next http.RoundTripper) http.RoundTripper {
				return simulated{next: next, service: namespace + "/" + name}
			})
			return config, nil
		},
	}
}

// simulated answers webhook requests that no pod can answer. It forwards all others.
type simulated struct {
	next    http.RoundTripper
	service string
}

func (s simulated) RoundTrip(request *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(request.Body)
	request.Body.Close()
	if err != nil {
		return nil, err
	}
	again := request.Clone(request.Context())
	again.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	again.Body, _ = again.GetBody()
	response, err := s.next.RoundTrip(again)
	if err == nil || !strings.Contains(err.Error(), egress.Refused) {
		return response, err
	}
	answer, unread := s.allow(body)
	if unread != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: http.StatusOK,
		Header:     http.Header{"Content-Type": {"application/json"}},
		Body:       io.NopCloser(bytes.NewReader(answer)),
		Request:    request,
	}, nil
}

// allow returns the answer that allows the request of an AdmissionReview. It returns an error for any
// other body.
func (s simulated) allow(body []byte) ([]byte, error) {
	var review struct {
		APIVersion string         `json:"apiVersion"`
		Kind       string         `json:"kind"`
		Request    map[string]any `json:"request,omitempty"`
		Response   map[string]any `json:"response"`
	}
	if err := json.Unmarshal(body, &review); err != nil {
		return nil, err
	}
	if review.Kind != "AdmissionReview" {
		return nil, fmt.Errorf("a %s, not an AdmissionReview", review.Kind)
	}
	review.Response = map[string]any{
		"uid": review.Request["uid"], "allowed": true,
		"warnings": []string{fmt.Sprintf("a webhook was not called: the pods of service %s are simulated", s.service)},
	}
	review.Request = nil
	return json.Marshal(review)
}

// WrappedRoundTripper lets client-go find the underlying connection, to close it.
func (s simulated) WrappedRoundTripper() http.RoundTripper { return s.next }
