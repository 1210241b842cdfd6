package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Tests of what counts on the answer of a pod.

// podService is a Service whose pods are simulated.
const podService = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME}
spec:
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec: {containers: [{name: c, image: "x:v1"}]}
---
apiVersion: v1
kind: Service
metadata: {name: NAME}
spec: {selector: {app: NAME}, ports: [{port: 443, targetPort: 8443}]}
---
`

func withPods(name, manifest string) string {
	return strings.ReplaceAll(podService+manifest, "NAME", name)
}

func checkPodWebhooks(t *testing.T, c *cluster) {
	c.apply(withPods("gate", `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: gate}
webhooks:
- name: gate.example.org
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Fail
  clientConfig: {service: {name: gate, namespace: default}}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [secrets]}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: gate}
webhooks:
- name: gate.example.org
  admissionReviewVersions: [v1beta1, v1]
  sideEffects: None
  failurePolicy: Fail
  clientConfig: {service: {name: gate, namespace: default}}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [secrets]}]
`))
	const warning = "Warning: a webhook was not called: the pods of service default/gate are simulated"
	c.eventually(20*time.Second, func(context.Context) error {
		c.kubectl("delete", "secret", "s", "--ignore-not-found")
		begun := time.Now()
		out, err := c.kubectl("create", "secret", "generic", "s")
		if err != nil {
			t.Fatalf("refused: %s", out)
		}
		if took := time.Since(begun); took > 3*time.Second {
			t.Errorf("took %v", took)
		}
		if !strings.Contains(out, warning) {
			return missing("no warning: %s", out)
		}
		return nil
	})

	// A webhook whose Service selects no pods is not relaxed.
	c.apply(`
apiVersion: v1
kind: Service
metadata: {name: nobody}
spec: {ports: [{port: 443}]}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: nobody}
webhooks:
- name: nobody.example.org
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Fail
  clientConfig: {service: {name: nobody, namespace: default}}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [limitranges]}]
`)
	c.eventually(20*time.Second, func(context.Context) error {
		out, err := c.kubectl("create", "-f", manifestFile(c, `
apiVersion: v1
kind: LimitRange
metadata: {generateName: l-}
`))
		if err == nil || !strings.Contains(out, "service default/nobody has no ready endpoints") {
			return missing("says %s", out)
		}
		return nil
	})
}

func checkPodAPIs(t *testing.T, c *cluster) {
	api := withPods("broken-api", `
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1.broken.example.org}
spec:
  group: broken.example.org
  version: v1
  groupPriorityMinimum: 100
  versionPriority: 100
  insecureSkipTLSVerify: true
  service: {name: broken-api, namespace: default}
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1beta1.metrics.k8s.io}
spec:
  group: metrics.k8s.io
  version: v1beta1
  groupPriorityMinimum: 100
  versionPriority: 100
  caBundle: `+base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: selfSigned(c, "x").Certificate[0]}))+`
  service: {name: broken-api, namespace: default}
`)
	c.apply(api)
	c.says("Local", "get", "apiservice", "v1.broken.example.org", "-o", `jsonpath={.status.conditions[?(@.type=="Available")].reason}`)
	c.says("Local", "get", "apiservice", "v1beta1.metrics.k8s.io", "-o", `jsonpath={.status.conditions[?(@.type=="Available")].reason}`)
	c.says("default/broken-api", "get", "apiservice", "v1.broken.example.org", "-o", `jsonpath={.metadata.annotations.kwok\.clusterlab\.dev/service}`)
	if out, _ := c.kubectl("events", "--for=APIService/v1.broken.example.org"); !strings.Contains(out, "simulated") {
		t.Errorf("no event: %s", out)
	}
	c.eventually(20*time.Second, func(context.Context) error {
		if out, err := c.kubectl("api-resources"); err != nil {
			return missing("discovery: %s", out)
		}
		if out, err := c.kubectl("top", "nodes"); err != nil { // a metrics server's own APIService is no obstacle
			return missing("top: %s", out)
		}
		return nil
	})
	c.goes("with-api")
	// It is applied again, as by an upgrade, after discovery has the local one.
	c.apply(api)
	c.eventually(20*time.Second, func(context.Context) error {
		if out, _ := c.kubectl("get", "apiservice", "v1.broken.example.org", "-o", "jsonpath={.spec.service.name}"); out != "" {
			return missing("its service is %s", out)
		}
		return nil
	})
	c.goes("with-api-again")
}

// goes creates a namespace with something in it, and waits until it is deleted.
func (c *cluster) goes(namespace string) {
	c.t.Helper()
	if out, err := c.kubectl("create", "namespace", namespace); err != nil {
		c.t.Fatal(out)
	}
	if out, err := c.kubectl("create", "configmap", "x", "-n", namespace); err != nil {
		c.t.Fatal(out)
	}
	if out, err := c.kubectl("delete", "namespace", namespace, "--timeout=30s"); err != nil {
		conditions, _ := c.kubectl("get", "namespace", namespace, "-o", "jsonpath={.status.conditions}")
		c.t.Fatalf("%s\n%s", out, conditions)
	}
}

func checkConversion(t *testing.T, c *cluster) {
	c.apply(withPods("convert", `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.convert.example.org}
spec:
  group: convert.example.org
  scope: Namespaced
  names: {kind: Thing, plural: things, singular: thing, listKind: ThingList}
  versions:
  - &version
    name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
  - <<: *version
    name: v2
    storage: false
  conversion:
    strategy: Webhook
    webhook:
      conversionReviewVersions: [v1]
      clientConfig: {service: {name: convert, namespace: default}}
`))
	thing := `
apiVersion: convert.example.org/v1
kind: Thing
metadata: {name: t, namespace: converted}
a: b
`
	if out, err := c.kubectl("create", "namespace", "converted"); err != nil {
		t.Fatal(out)
	}
	c.eventually(20*time.Second, func(context.Context) error {
		if out, err := c.kubectl("apply", "-f", manifestFile(c, thing)); err != nil {
			return missing("%s", out)
		}
		return nil
	})
	c.says("b", "get", "things.v1.convert.example.org", "t", "-n", "converted", "-o", "jsonpath={.a}")
	begun := time.Now()
	if out, err := c.kubectl("get", "things.v2.convert.example.org", "-n", "converted"); err == nil || !strings.Contains(out, "this cluster runs no pods") {
		t.Errorf("the other version says %s", out)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
	if out, err := c.kubectl("delete", "namespace", "converted", "--timeout=60s"); err != nil {
		conditions, _ := c.kubectl("get", "namespace", "converted", "-o", "jsonpath={.status.conditions}")
		t.Errorf("%s\n%s", out, conditions)
	}
}

// A server on an address of this machine that is not the loopback's, which a user
// wrote into an EndpointSlice.
func checkOutside(t *testing.T, c *cluster) {
	ip := ownAddress(t)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, answerTo(r))
	}))
	listener, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		t.Fatal(err)
	}
	server.Listener.Close()
	server.Listener = listener
	own := selfSigned(c, "own.default.svc")
	server.TLS = &tls.Config{Certificates: []tls.Certificate{own}}
	server.StartTLS()
	defer server.Close()

	port := strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
	ca := base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: own.Certificate[0]}))
	c.apply(strings.NewReplacer("MACHINE", ip, "PORT", port, "CABUNDLE", ca).Replace(`
apiVersion: v1
kind: Service
metadata: {name: own}
spec: {ports: [{port: 443, targetPort: PORT}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: own-1, labels: {kubernetes.io/service-name: own}}
addressType: IPv4
ports: [{port: PORT}]
endpoints: [{addresses: [MACHINE]}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: own}
webhooks:
- name: own.example.org
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Fail
  clientConfig: {service: {name: own, namespace: default}, caBundle: CABUNDLE}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [replicationcontrollers]}]
`))
	c.eventually(20*time.Second, func(context.Context) error {
		out, err := c.kubectl("create", "-f", manifestFile(c, `
apiVersion: v1
kind: ReplicationController
metadata: {generateName: r-}
spec: {replicas: 0, selector: {a: b}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: "x:v1"}]}}}
`))
		if err == nil || !strings.Contains(out, "the developer says no") {
			return missing("says %s", out)
		}
		return nil
	})
}

// ownAddress is an IPv4 address of this machine that is not the loopback's. A machine
// without a network has none; those of CI have one.
func ownAddress(t *testing.T) string {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range addresses {
		if ip, ok := address.(*net.IPNet); ok && ip.IP.To4() != nil && ip.IP.IsGlobalUnicast() {
			return ip.IP.String()
		}
	}
	t.Skip("this machine has no address but the loopback's")
	return ""
}

// selfSigned is a certificate for a name, and its own authority.
func selfSigned(c *cluster, name string) tls.Certificate {
	c.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		c.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		c.t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
