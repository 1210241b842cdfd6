package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// TestExitCodesAreDocumented checks that the table in docs/errors.md has the exit codes of lab.
func TestExitCodesAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]string{} // by reason
	for _, row := range regexp.MustCompile("(?m)^\\| (\\d+) \\| (`.*`) \\|").FindAllStringSubmatch(string(text), -1) {
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
