package snapshot

import (
	"context"
	"fmt"
	"strings"

	clientv3 "go.etcd.io/etcd/client/v3"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/client-go/kubernetes/scheme"
)

// The keys of the API server in etcd: /registry/RESOURCE/NAMESPACE/NAME.
const (
	secretKeys    = "/registry/secrets/"
	leaseKeys     = "/registry/leases/"
	configMapKeys = "/registry/configmaps/"
	// The trust bundles that Kubernetes itself publishes. Their names contain a hash of the authority.
	trustBundleKeys = "/registry/clustertrustbundles/kubernetes.io:"
)

// page is the number of objects that are read at once.
const page = 500

// clean removes everything from the data that belongs to one running cluster and must not be shared:
//
//   - tokens of service accounts, which the controller issues again for the new cluster, and bootstrap
//     tokens;
//   - the certificate authority, which controllers and the API server publish again. The API server adds
//     its authority to the existing ones in extension-apiserver-authentication, so with that object the
//     new cluster would trust certificates of the old one;
//   - leases, because their holders do not run any more, and successors would wait until they expire.
//     Leases of nodes stay: their holder is the engine of every cluster.
func clean(ctx context.Context, client *clientv3.Client) error {
	for _, step := range []func(context.Context, *clientv3.Client) error{cleanSecrets, cleanAuthorities, cleanLeases} {
		if err := step(ctx, client); err != nil {
			return err
		}
	}
	return nil
}

func cleanSecrets(ctx context.Context, client *clientv3.Client) error {
	return each(ctx, client, secretKeys, false, func(key string, value []byte) error {
		object, _, err := scheme.Codecs.UniversalDeserializer().Decode(value, nil, nil)
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		secret, ok := object.(*corev1.Secret)
		if !ok {
			return fmt.Errorf("%s is a %T, not a Secret", key, object)
		}
		switch secret.Type {
		case corev1.SecretTypeBootstrapToken:
			_, err = client.Delete(ctx, key)
			return err
		case corev1.SecretTypeServiceAccountToken:
		default:
			return nil
		}
		delete(secret.Data, corev1.ServiceAccountTokenKey)
		delete(secret.Data, corev1.ServiceAccountRootCAKey)
		encoder := scheme.Codecs.EncoderForVersion(protobuf.NewSerializer(scheme.Scheme, scheme.Scheme), corev1.SchemeGroupVersion)
		text, err := runtime.Encode(encoder, secret)
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		_, err = client.Put(ctx, key, string(text))
		return err
	})
}

func cleanAuthorities(ctx context.Context, client *clientv3.Client) error {
	if _, err := client.Delete(ctx, trustBundleKeys, clientv3.WithPrefix()); err != nil {
		return err
	}
	return each(ctx, client, configMapKeys, true, func(key string, _ []byte) error {
		if strings.HasSuffix(key, "/kube-root-ca.crt") || key == configMapKeys+"kube-system/extension-apiserver-authentication" {
			_, err := client.Delete(ctx, key)
			return err
		}
		return nil
	})
}

func cleanLeases(ctx context.Context, client *clientv3.Client) error {
	return each(ctx, client, leaseKeys, true, func(key string, _ []byte) error {
		if strings.HasPrefix(key, leaseKeys+corev1.NamespaceNodeLease+"/") {
			return nil
		}
		_, err := client.Delete(ctx, key)
		return err
	})
}

// each calls do for each key with the prefix, in pages. With keysOnly, the values are not read.
func each(ctx context.Context, client *clientv3.Client, prefix string, keysOnly bool, do func(key string, value []byte) error) error {
	options := []clientv3.OpOption{clientv3.WithRange(clientv3.GetPrefixRangeEnd(prefix)), clientv3.WithLimit(page)}
	if keysOnly {
		options = append(options, clientv3.WithKeysOnly())
	}
	for next := prefix; ; {
		found, err := client.Get(ctx, next, options...)
		if err != nil {
			return err
		}
		for _, kv := range found.Kvs {
			if err := do(string(kv.Key), kv.Value); err != nil {
				return err
			}
			next = string(kv.Key) + "\x00"
		}
		if !found.More {
			return nil
		}
	}
}
