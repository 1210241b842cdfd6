package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// TestExitCodesAreDocumented checks that the table in docs/errors.md has the exit codes of lab.
func TestExitCodesAreDocumented(t *testing.T) {
	text := readText(t, "../../docs/errors.md")
	documented := map[string]string{} // by reason
	for _, row := range regexp.MustCompile("(?m)^\\| (\\d+) \\| (`.*`) \\|").FindAllStringSubmatch(text, -1) {
		for _, reason := range strings.Split(row[2], ", ") {
			documented[strings.Trim(reason, "`")] = row[1]
		}
	}
	for _, err := range []error{
		errors.New("any"), fault.ErrInvalid, fault.ErrNotFound, fault.ErrExists, fault.ErrForeign,
		fault.ErrUnavailable, fault.ErrUnsupported, context.DeadlineExceeded, context.Canceled,
	} {
		code, reason := ui.Classify(err)
		if documented[reason] != fmt.Sprint(code) {
			t.Errorf("%s has the exit code %d, but %q in docs/errors.md", reason, code, documented[reason])
		}
		delete(documented, reason)
	}
	for reason, code := range documented {
		t.Errorf("docs/errors.md has %s (%s), which lab does not have", reason, code)
	}
}

// TestLinks checks that links between pages of this repository lead to existing files.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	found := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") && len(d.Name()) > 2 {
			return filepath.SkipDir
		}
		if d.IsDir() || filepath.Ext(path) != ".md" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, l := range link.FindAllStringSubmatch(string(text), -1) {
			found++
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), l[1])); err != nil {
				t.Errorf("%s: broken link: %s", path, l[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found < 20 {
		t.Errorf("found only %d links", found)
	}
}

// TestDesignNamesPackages checks that docs/design.md names each package, except those of the test bed.
func TestDesignNamesPackages(t *testing.T) {
	page := readText(t, "../../docs/design.md")
	out, err := exec.Command("git", "-C", "../..", "ls-files", "*.go").Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	dirs := map[string]bool{}
	for file := range strings.FieldsSeq(string(out)) {
		dir := filepath.ToSlash(filepath.Dir(file))
		if !strings.HasSuffix(file, "_test.go") && !strings.HasPrefix(dir, "e2e/testbed/") && !strings.HasPrefix(dir, "docs/") {
			dirs[dir] = true
		}
	}
	for dir := range dirs {
		if !regexp.MustCompile(`(^|[^\w-])` + regexp.QuoteMeta(filepath.Base(dir)) + `([^\w-]|$)`).MatchString(page) {
			t.Errorf("docs/design.md does not name the package %s", dir)
		}
	}
	if len(dirs) < 50 {
		t.Errorf("found only %d packages", len(dirs))
	}
}

// TestE2ETestsAreDocumented checks that the table in e2e/README.md has the tests of package e2e.
func TestE2ETestsAreDocumented(t *testing.T) {
	documented, found := map[string]bool{}, map[string]bool{"TestMain": true}
	for _, row := range regexp.MustCompile("(?m)^\\| `(Test\\w+)` \\|").FindAllStringSubmatch(readText(t, "../../e2e/README.md"), -1) {
		documented[row[1]] = true
	}
	files, err := filepath.Glob("../../e2e/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		for _, test := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllStringSubmatch(readText(t, file), -1) {
			found[test[1]] = true
		}
	}
	documented["TestMain"] = true
	if diff := cmp.Diff(found, documented); diff != "" {
		t.Errorf("the table of tests in e2e/README.md is out of date (-tests +table):\n%s", diff)
	}
}

func readText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
