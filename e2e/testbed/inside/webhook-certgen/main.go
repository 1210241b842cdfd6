// Command webhook-certgen stands in for kube-webhook-certgen, which charts run as jobs before and after the
// installation of an admission webhook:
//
//	webhook-certgen create --namespace=N --secret-name=S --host=NAME,…     creates the certificate, unless it exists
//	webhook-certgen patch  --namespace=N --secret-name=S --webhook-name=W  makes the API server trust it
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/clusterlab-dev/lab/e2e/testbed/inside/internal/certificate"
	"github.com/clusterlab-dev/lab/e2e/testbed/inside/internal/incluster"
)

func main() {
	os.Exit(incluster.Main("webhook-certgen", os.Stderr, func(ctx context.Context, config *rest.Config) error {
		client, err := kubernetes.NewForConfig(config)
		if err != nil {
			return err
		}
		return run(ctx, client, os.Args[1:])
	}))
}

// job contains the flags.
type job struct{ namespace, secret, hosts, webhook, policy string }

func run(ctx context.Context, client kubernetes.Interface, args []string) error {
	if len(args) == 0 {
		return errors.New("usage: webhook-certgen create|patch FLAGS")
	}
	var j job
	flags := flag.NewFlagSet("webhook-certgen "+args[0], flag.ContinueOnError)
	flags.StringVar(&j.namespace, "namespace", "", "where the secret is")
	flags.StringVar(&j.secret, "secret-name", "", "the secret with the certificate")
	flags.StringVar(&j.hosts, "host", "", "the names, with commas between, that the certificate is for")
	flags.StringVar(&j.webhook, "webhook-name", "", "the webhook configurations, of both kinds")
	flags.StringVar(&j.policy, "patch-failure-policy", "", "Ignore or Fail")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	switch args[0] {
	case "create":
		return j.create(ctx, client)
	case "patch":
		return j.patch(ctx, client)
	}
	return fmt.Errorf("no command %q: create or patch", args[0])
}

func (j job) create(ctx context.Context, client kubernetes.Interface) error {
	cert, key, err := certificate.SelfSigned(strings.Split(j.hosts, ",")...)
	if err != nil {
		return err
	}
	_, err = client.CoreV1().Secrets(j.namespace).Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: j.secret},
		Data: map[string][]byte{"ca": cert, "cert": cert, "key": key}}, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil // from an earlier installation, whose webhooks trust it
	}
	return err
}

func (j job) patch(ctx context.Context, client kubernetes.Interface) error {
	secret, err := client.CoreV1().Secrets(j.namespace).Get(ctx, j.secret, metav1.GetOptions{})
	if err != nil {
		return err
	}
	return errors.Join(j.mutating(ctx, client, secret.Data["ca"]), j.validating(ctx, client, secret.Data["ca"]))
}

func (j job) mutating(ctx context.Context, client kubernetes.Interface, ca []byte) error {
	all := client.AdmissionregistrationV1().MutatingWebhookConfigurations()
	found, err := all.Get(ctx, j.webhook, metav1.GetOptions{})
	if err != nil {
		return err
	}
	for i := range found.Webhooks {
		found.Webhooks[i].ClientConfig.CABundle = ca
		found.Webhooks[i].FailurePolicy = j.failurePolicy()
	}
	_, err = all.Update(ctx, found, metav1.UpdateOptions{})
	return err
}

func (j job) validating(ctx context.Context, client kubernetes.Interface, ca []byte) error {
	all := client.AdmissionregistrationV1().ValidatingWebhookConfigurations()
	found, err := all.Get(ctx, j.webhook, metav1.GetOptions{})
	if err != nil {
		return err
	}
	for i := range found.Webhooks {
		found.Webhooks[i].ClientConfig.CABundle = ca
		found.Webhooks[i].FailurePolicy = j.failurePolicy()
	}
	_, err = all.Update(ctx, found, metav1.UpdateOptions{})
	return err
}

// failurePolicy is nil without the flag; the API server then uses Fail.
func (j job) failurePolicy() *admissionv1.FailurePolicyType {
	if j.policy == "" {
		return nil
	}
	policy := admissionv1.FailurePolicyType(j.policy)
	return &policy
}
