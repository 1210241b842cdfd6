// Package toolstest creates fake releases of tools for tests.
package toolstest

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"github.com/clusterlab-dev/lab/cmd/internal/tools"
)

// Version is the version of all tools.
const Version = "v1.37.0"

// Releases returns three tools for one platform, and their releases by name: kubectl as a program,
// helm in a tarball and k9s in a zip archive. The URL of a release is base/NAME. Each program is a
// script that prints its version.
func Releases(base, platform string) (tools.Catalog, map[string][]byte, error) {
	tarball, tarErr := Tarball("bin/README", "a text", "bin/helm", Script("helm"))
	zipped, zipErr := Zip("README", "a text", "k9s", Script("k9s"))
	files := map[string][]byte{"kubectl": []byte(Script("kubectl")), "helm.tar.gz": tarball, "k9s.zip": zipped}
	var c tools.Catalog
	for _, t := range []struct{ name, file, member string }{
		{"kubectl", "kubectl", ""}, {"helm", "helm.tar.gz", "bin/helm"}, {"k9s", "k9s.zip", "k9s"},
	} {
		sum := sha256.Sum256(files[t.file])
		c = append(c, tools.Tool{Name: t.name, What: "is a fake", Version: Version, Ask: []string{"version"}, Files: map[string]tools.File{
			platform: {URL: base + "/" + t.file, SHA256: hex.EncodeToString(sum[:]), Member: t.member, Sources: []string{"this test"}},
		}})
	}
	return c, files, errors.Join(tarErr, zipErr)
}

// Script returns the program of a tool.
func Script(name string) string { return "#!/bin/sh\necho " + name + " " + Version + "\n" }

// Tarball returns a tar archive. The arguments are names and contents in turn.
func Tarball(files ...string) ([]byte, error) {
	var data bytes.Buffer
	zipped := gzip.NewWriter(&data)
	w := tar.NewWriter(zipped)
	var errs []error
	for i := 0; i < len(files); i += 2 {
		errs = append(errs, w.WriteHeader(&tar.Header{Name: files[i], Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(files[i+1]))}))
		_, err := w.Write([]byte(files[i+1]))
		errs = append(errs, err)
	}
	err := errors.Join(errors.Join(errs...), w.Close(), zipped.Close())
	return data.Bytes(), err
}

// Zip returns a zip archive. The arguments are names and contents in turn.
func Zip(files ...string) ([]byte, error) {
	var data bytes.Buffer
	w := zip.NewWriter(&data)
	var errs []error
	for i := 0; i < len(files); i += 2 {
		f, err := w.Create(files[i])
		if err == nil {
			_, err = f.Write([]byte(files[i+1]))
		}
		errs = append(errs, err)
	}
	err := errors.Join(errors.Join(errs...), w.Close())
	return data.Bytes(), err
}
