//go:build unix

package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
)

// TestNamespaceOfPipe checks that the namespace is not read from a pipe, which may never end.
func TestNamespaceOfPipe(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	_, err = io.WriteString(w, "contexts: [{name: kind-demo, context: {namespace: theirs}}]\n")
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	path := fmt.Sprintf("/dev/fd/%d", r.Fd())
	if namespace, found := namespaceIn([]string{path}, "kind-demo"); found {
		t.Errorf("found the namespace %q in a pipe", namespace)
	}
}
