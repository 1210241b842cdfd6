package addontest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/clusterlab-dev/lab/addons"
)

// Chart returns a chart with the files, by their paths. Fakes read only templates that are plain YAML.
func Chart(name, version string, files map[string]string) addons.Archive {
	files = maps.Clone(files)
	if files == nil {
		files = map[string]string{}
	}
	if files["Chart.yaml"] == "" {
		files["Chart.yaml"] = fmt.Sprintf("apiVersion: v2\nname: %s\nversion: %s\nappVersion: app-%s\n", name, version, version)
	}
	var data bytes.Buffer
	zip := gzip.NewWriter(&data)
	out := tar.NewWriter(zip)
	for _, path := range slices.Sorted(maps.Keys(files)) {
		// Writing to memory does not fail.
		_ = out.WriteHeader(&tar.Header{Name: name + "/" + path, Mode: 0o644, Size: int64(len(files[path]))})
		_, _ = out.Write([]byte(files[path]))
	}
	_, _ = out.Close(), zip.Close()
	sum := sha256.Sum256(data.Bytes())
	return addons.Archive{Digest: "sha256:" + hex.EncodeToString(sum[:]), Data: data.Bytes()}
}

// ConfigMap is a template of a small object.
func ConfigMap(name, text string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {text: %q}\n", name, text)
}

// Hanging is a template of a hook that never completes: no node fits its pod.
func Hanging(name string) string {
	return fmt.Sprintf(`apiVersion: batch/v1
kind: Job
metadata: {name: %s, annotations: {helm.sh/hook: "pre-install,pre-upgrade"}}
spec:
  template:
    spec:
      restartPolicy: Never
      nodeSelector: {nowhere: "true"}
      containers: [{name: wait, image: wait}]
`, name)
}

// Definition is a custom resource definition of a kind in the group, with the fields. It has at least
// size bytes.
func Definition(group, kind string, size int, fields ...string) string {
	properties := ""
	for _, f := range fields {
		properties += fmt.Sprintf("            %s: {type: string}\n", f)
	}
	lower := strings.ToLower(kind)
	return fmt.Sprintf(`apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: %[2]ss.%[1]s}
spec:
  group: %[1]s
  names: {kind: %[3]s, plural: %[2]ss, singular: %[2]s, listKind: %[3]sList}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          description: %[4]q
          properties:
%[5]s`, group, lower, kind, strings.Repeat("x", size), properties)
}
