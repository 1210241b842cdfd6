package pki

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"

	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/dir"
)

// kubeconfig is self-contained, so that it can be copied.
const kubeconfig = `apiVersion: v1
kind: Config
current-context: %[1]s
clusters:
- name: %[1]s
  cluster:
    server: %[2]s
    certificate-authority-data: %[3]s
users:
- name: %[1]s
  user:
    client-certificate-data: %[4]s
    client-key-data: %[5]s
contexts:
- name: %[1]s
  context:
    cluster: %[1]s
    user: %[1]s
`

// WriteKubeconfig writes a kubeconfig with one context, name, to file. It connects to server with the
// certificate of the leaf in the directory.
func WriteKubeconfig(file, name, server, directory, leaf string) error {
	var encoded []any
	for _, part := range []string{"ca.crt", leaf + ".crt", leaf + ".key"} {
		raw, err := os.ReadFile(filepath.Join(directory, part))
		if err != nil {
			return err
		}
		encoded = append(encoded, base64.StdEncoding.EncodeToString(raw))
	}
	text := fmt.Sprintf(kubeconfig, append([]any{name, server}, encoded...)...)
	return dir.WriteFile(file, []byte(text))
}
