package helm

import (
	"bytes"
	"strings"

	"sigs.k8s.io/yaml"
)

// lenient lets requests pass where no webhook answers, because no pod runs: it has the API
// server ignore, and soon, that webhooks do not answer. All else is left as Helm rendered it,
// byte for byte.
type lenient struct{}

// Run implements Helm's post-renderer.
func (lenient) Run(rendered *bytes.Buffer) (*bytes.Buffer, error) {
	parts := split(rendered.String())
	for i, part := range parts {
		doc, err := decode(part)
		if err != nil {
			continue // Helm says what is wrong with it
		}
		if kind := doc["kind"]; kind != "ValidatingWebhookConfiguration" && kind != "MutatingWebhookConfiguration" {
			continue
		}
		hooks, _ := doc["webhooks"].([]any)
		for _, hook := range hooks {
			if hook, ok := hook.(map[string]any); ok {
				hook["failurePolicy"], hook["timeoutSeconds"] = "Ignore", 1
			}
		}
		text, err := yaml.Marshal(doc)
		if err != nil {
			return nil, err
		}
		parts[i] = "\n" + strings.TrimSuffix(string(text), "\n")
	}
	return bytes.NewBufferString(strings.TrimPrefix(strings.Join(parts, "\n---"), "\n")), nil
}
