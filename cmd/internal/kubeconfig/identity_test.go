package kubeconfig_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/cmd/internal/kubeconfig"
)

// ofAuthority returns the kubeconfig of a cluster at a port, with a client certificate. All clusters
// have the same certificate authority, as those of minikube.
func ofAuthority(name, port, cert string) []byte {
	return []byte(strings.NewReplacer(":6443", ":"+port, "Y2VydA==", cert).Replace(string(own(name, "Y2E="))))
}

// minikubes are the entries of the user's own clusters, with the same authority.
const minikubes = `apiVersion: v1
kind: Config
clusters:
- name: minikube # mine
  cluster:
    certificate-authority-data: Y2E=
    server: https://192.168.49.2:8443
contexts:
- name: minikube
  context: {cluster: minikube, user: minikube}
current-context: minikube
users:
- name: minikube
  user: {client-certificate-data: bWluZQ==, client-key-data: a2V5}
`

// Clusters with the same authority do not affect each other, in any order of removal.
func TestSameAuthority(t *testing.T) {
	t.Parallel()
	clusters := map[string][]byte{"a": ofAuthority("a", "1", "YQ=="), "b": ofAuthority("b", "2", "Yg==")}
	for first, second := range map[string]string{"a": "b", "b": "a"} {
		f, path := home(t, minikubes)
		merge(t, f, clusters["a"])
		merge(t, f, clusters["b"])
		remove(t, f, "kind-"+first, clusters[first])
		if got := content(t, path); strings.Count(got, "name: kind-"+second+"\n") != 3 || strings.Contains(got, "kind-"+first+"\n") {
			t.Errorf("after %s was removed:\n%s", first, got)
		}
		remove(t, f, "kind-"+second, clusters[second])
		if diff := cmp.Diff(minikubes, content(t, path)); diff != "" {
			t.Errorf("after both were removed (-before +after):\n%s", diff)
		}
	}
}

// An entry with the same name and other content belongs to another program.
func TestRemoveKeepsForeignEntries(t *testing.T) {
	t.Parallel()
	mine := ofAuthority("lab", "6443", "bGFi")
	again := ofAuthority("lab", "8443", "dGhlaXJz")
	tests := map[string]struct {
		change func(before, merged string) string
		keeps  []string // items that stay
	}{
		"another cluster of the authority took the names": {
			func(string, string) string { return string(again) }, []string{"cluster", "context", "user"},
		},
		"at the same address": {
			func(string, string) string { return string(ofAuthority("lab", "6443", "dGhlaXJz")) }, []string{"cluster", "context", "user"},
		},
		"another user": {
			func(_, merged string) string {
				return strings.Replace(merged, "client-certificate-data: bGFi", "token: mine", 1)
			}, []string{"user"},
		},
		"another context refers to both": {
			func(_, merged string) string {
				return strings.Replace(merged, "contexts:\n", "contexts:\n- name: mine\n  context: {cluster: kind-lab, user: kind-lab}\n", 1)
			}, []string{"cluster", "user"},
		},
		"only the context exists": {
			func(before, merged string) string {
				_, rest, _ := strings.Cut(merged, "contexts:\n")
				item, _, _ := strings.Cut(rest, "- name: minikube")
				return strings.Replace(before, "contexts:\n", "contexts:\n"+item, 1)
			}, nil,
		},
		"the context was removed": {
			func(_, merged string) string {
				before, rest, _ := strings.Cut(merged, "contexts:\n")
				_, rest, _ = strings.Cut(rest, "- name: minikube")
				return before + "contexts:\n- name: minikube" + rest
			}, nil,
		},
		"at another address, by hand": {
			func(_, merged string) string { return strings.Replace(merged, "127.0.0.1:6443", "host:6443", 1) }, nil,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, path := home(t, minikubes)
			merge(t, f, mine)
			write(t, path, tt.change(minikubes, content(t, path)))
			remove(t, f, "kind-lab", mine)
			got := content(t, path)
			for _, list := range []string{"cluster", "context", "user"} {
				_, text, _ := strings.Cut("\n"+got, "\n"+list+"s:")
				if end := indexOfKey(text); end < len(text) {
					text = text[:end]
				}
				want := strings.Contains(strings.Join(tt.keeps, " "), list)
				if has := strings.Contains(text, "name: kind-lab\n"); has != want {
					t.Errorf("the %s exists: %v, want %v; after Remove:\n%s", list, has, want, got)
				}
			}
		})
	}
}

// A record of an older lab has only a hash of the CA.
func TestRemoveByOldRecord(t *testing.T) {
	t.Parallel()
	id := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte("ca")))
	f, path := home(t, minikubes)
	merge(t, f, ofAuthority("a", "1", "YQ=="))
	merge(t, f, ofAuthority("b", "2", "Yg=="))
	// An older lab did not note a credential either.
	text := content(t, path)
	for _, line := range strings.Split(text, "\n") {
		if strings.Contains(line, "credential: sha256:") {
			text = strings.Replace(text, line+"\n", "", 1)
		}
	}
	write(t, path, text)
	if err := f.Remove(t.Context(), "kind-a", id); err != nil {
		t.Fatal(err)
	}
	if got := content(t, path); strings.Count(got, "name: kind-b\n") != 3 || strings.Contains(got, "kind-a\n") {
		t.Errorf("after a was removed:\n%s", got)
	}
	if err := f.Remove(t.Context(), "kind-b", id); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(minikubes, content(t, path)); diff != "" {
		t.Errorf("after both were removed (-before +after):\n%s", diff)
	}
}

// The certificate in the file may be older than that in the record, if lab was killed between the two
// writes.
func TestRenewedCredential(t *testing.T) {
	t.Parallel()
	f, path := home(t, theirs)
	before, after := ofAuthority("lab", "6443", "b2xk"), ofAuthority("lab", "7443", "bmV3")
	merge(t, f, before)
	remove(t, f, "kind-lab", after)
	if diff := cmp.Diff(theirs, content(t, path)); diff != "" {
		t.Errorf("removed by the newer record (-before +after):\n%s", diff)
	}
	merge(t, f, before)
	merge(t, f, after)
	if got := content(t, path); !strings.Contains(got, "bmV3") || strings.Contains(got, "b2xk") {
		t.Errorf("after the certificate was renewed:\n%s", got)
	}
	remove(t, f, "kind-lab", after)
	if diff := cmp.Diff(theirs, content(t, path)); diff != "" {
		t.Errorf("removed (-before +after):\n%s", diff)
	}
}

// Files in $KUBECONFIG without entries of the cluster need not be usable.
func TestRemoveIgnoresUnusableFiles(t *testing.T) {
	t.Parallel()
	mine := own("lab", "Y2E=")
	for what, spoil := range map[string]func(path string) error{
		"read-only":       func(path string) error { return os.Chmod(path, 0o400) },
		"locked":          func(path string) error { return os.WriteFile(path+".lock", nil, 0o600) },
		"not YAML":        func(path string) error { return os.WriteFile(path, []byte("a: b: c"), 0o600) },
		"two documents":   func(path string) error { return os.WriteFile(path, []byte("kind: Config\n---\nkind: Config\n"), 0o600) },
		"a directory":     func(path string) error { return replaceBy(path, os.Mkdir(path+".d", 0o700), path+".d") },
		"a link to none":  func(path string) error { return replaceBy(path, os.Symlink("nowhere", path+".d"), path+".d") },
		"a link to it":    func(path string) error { return replaceBy(path, os.Symlink(filepath.Base(path), path+".d"), path+".d") },
		"in no directory": func(path string) error { return os.RemoveAll(filepath.Dir(path)) },
	} {
		f, path := home(t, theirs)
		corp := filepath.Join(t.TempDir(), "corp", "config")
		write(t, corp, "kind: Config\n")
		merge(t, f, mine)
		if err := spoil(corp); err != nil {
			t.Fatal(err)
		}
		f.Paths = append(f.Paths, corp)
		f.Holders = []string{path}
		if err := f.Remove(t.Context(), "kind-lab", identity(t, mine)); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if diff := cmp.Diff(theirs, content(t, path)); diff != "" {
			t.Errorf("%s (-before +after):\n%s", what, diff)
		}
	}
}

func replaceBy(path string, err error, by string) error {
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil {
		return err
	}
	return os.Rename(by, path)
}

// A file is locked only if it changes.
func TestNoLockWithoutChange(t *testing.T) {
	t.Parallel()
	f, path := home(t, theirs)
	mine := own("lab", "Y2E=")
	merge(t, f, mine)
	write(t, path+".lock", "")
	if err := os.Chtimes(path+".lock", longAgo(), longAgo()); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	merge(t, f, mine)
	if err := f.Use(t.Context(), "kind-lab"); err != nil {
		t.Error(err)
	}
	other := own("other", "Y2E=")
	remove(t, f, "kind-other", other)
	if _, err := f.Merge(t.Context(), other, kubeconfig.Options{}); err == nil {
		t.Error("another cluster was added, despite the lock")
	}
}
