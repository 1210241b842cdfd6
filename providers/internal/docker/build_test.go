//go:build !windows

package docker_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/docker/dockertest"
)

// TestBuild checks that docker gets all options, and that each line of its output is passed on.
func TestBuild(t *testing.T) {
	d := dockertest.Script(t, dockertest.Answer{Args: "build", Stdout: "sha256:1", Stderr: "#1 [1/2] FROM a\n\n#2 [2/2] RUN b\n"})
	var said []string
	err := docker.Build(t.Context(), providers.Build{
		Context: "dir", Tags: []string{"shop:v1", "shop:v2"}, File: "Dockerfile.shop", Args: []string{"A=1", "B"}, Target: "web", Platform: "linux/arm64",
	}, func(line string) { said = append(said, line) })
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"build --tag shop:v1 --tag shop:v2 --file Dockerfile.shop --build-arg A=1 --build-arg B --target web --platform linux/arm64 dir"}
	if diff := cmp.Diff(want, d.Calls(t)); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if all := strings.Join(said, "|"); !strings.Contains(all, "#1 [1/2] FROM a|#2 [2/2] RUN b") || !strings.Contains(all, "sha256:1") {
		t.Errorf("said %q", said)
	}
	d = dockertest.Script(t, dockertest.Answer{Args: "build"})
	if err := docker.Build(t.Context(), providers.Build{Context: ".", Tags: []string{"a"}}, nil); err != nil || d.Calls(t)[0] != "build --tag a ." {
		t.Errorf("%q, %v", d.Calls(t), err)
	}
}

// TestBuildFails checks that the reason is docker's own, whatever programs of the build print, and that a missing
// BuildKit is named.
func TestBuildFails(t *testing.T) {
	for name, test := range map[string]struct {
		words, says, hint string
		kind              error
	}{
		"BuildKit": {
			"#5 RUN false\n#5 0.1 listen: address already in use\nERROR: failed to solve: process \"/bin/sh -c false\" did not complete\n\nView build details: x\n",
			`failed to solve: process "/bin/sh -c false" did not complete`, "", nil,
		},
		"legacy builder": {"Step 2/2 : RUN false\nThe command '/bin/sh -c false' returned a non-zero code: 1\n", "returned a non-zero code: 1", "", nil},
		"no buildx":      {"ERROR: BuildKit is enabled but the buildx component is missing or broken.\n", "needs BuildKit", "buildx version", fault.ErrUnavailable},
		"mount": {
			"Step 2/2 : RUN --mount=type=cache\nthe --mount option requires BuildKit. Refer to https://docs.docker.com/\n",
			"the --mount option requires BuildKit", "install buildx", fault.ErrUnavailable,
		},
		"no engine":    {"ERROR: Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?\n", "Cannot connect", "start", fault.ErrUnavailable},
		"no directory": {"ERROR: unable to prepare context: path \"dir\" not found\n", `path "dir" not found`, "", nil},
		"no words":     {"", "exit status 1", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			dockertest.Script(t, dockertest.Answer{Args: "build", Stderr: test.words, Code: 1})
			err := docker.Build(t.Context(), providers.Build{Context: "dir"}, nil)
			check(t, err, test.says, test.hint)
			if test.kind != nil && !errors.Is(err, test.kind) {
				t.Errorf("%v is not %v", err, test.kind)
			}
			if test.hint == "" && fault.HintOf(err) != "" {
				t.Errorf("hint %q", fault.HintOf(err))
			}
			if detail := fault.DetailOf(err); detail != strings.TrimSpace(test.words) {
				t.Errorf("detail %q", detail)
			}
		})
	}
	dockertest.None(t)
	if err := docker.Build(t.Context(), providers.Build{Context: "."}, nil); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("without docker: %v", err)
	}
}
