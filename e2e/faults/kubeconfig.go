//go:build e2e && unix

package faults

import (
	"os"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

func (r *run) read() string {
	r.t.Helper()
	text, err := os.ReadFile(r.Kubeconfig)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(text)
}

func (r *run) current() string {
	r.t.Helper()
	config, err := clientcmd.Load([]byte(r.read()))
	if err != nil {
		r.t.Fatal(err)
	}
	return config.CurrentContext
}

// kubeconfig returns the kubeconfig with another current context.
func (r *run) kubeconfig(context string) []byte {
	r.t.Helper()
	config, err := clientcmd.LoadFromFile(r.Kubeconfig)
	if err != nil {
		r.t.Fatal(err)
	}
	if config.Contexts[context] == nil {
		r.t.Fatalf("the kubeconfig has no context %q", context)
	}
	config.CurrentContext = context
	text, err := clientcmd.Write(*config)
	if err != nil {
		r.t.Fatal(err)
	}
	return text
}

// foreignEntry returns the entry of the foreign cluster in the kubeconfig.
func (r *run) foreignEntry() string {
	r.t.Helper()
	config, err := clientcmd.Load(r.kubeconfig(r.Foreign))
	if err != nil {
		r.t.Fatal(err)
	}
	if err := clientcmdapi.MinifyConfig(config); err != nil {
		r.t.Fatal(err)
	}
	text, err := clientcmd.Write(*config)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(text)
}
