//go:build e2e && unix

package kwok

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/e2e/internal/session"
)

// TestBundle brings a cluster with an addon to a machine that has only the program lab, in one file. The import is killed
// once, and repeated.
func TestBundle(t *testing.T) {
	t.Parallel()
	teacher, student := newUser(t), newUser(t)
	s := newShelf(t, teacher)
	s.put("shop", "1.0.0", true, map[string]string{"templates/a.yaml": web("shop", "")})
	file := filepath.Join(teacher.root, "class.lab")
	teacher.Must("bundle", "create", file, "--flavor", "kwok", "--addon", "shop", "--tools", "none", "--name", "class")
	teacher.Must("bundle", "verify", file)

	alone := filepath.Join(student.root, "alone")
	if err := errors.Join(os.Mkdir(alone, 0o700), os.Link(filepath.Join(student.bin, "lab"), filepath.Join(alone, "lab"))); err != nil {
		t.Skipf("no hard links: %v", err)
	}
	student.bin = alone
	config := filepath.Join(student.labHome, "config")
	if err := os.CopyFS(config, os.DirFS(filepath.Join(teacher.labHome, "config"))); err != nil {
		t.Fatal(err)
	}
	requests := s.Requests()
	student.fails(5, []string{"lab-engine is not installed"}, "up", session.RandomName(), "--flavor", "kwok")
	student.killDuringImport(file)
	student.Must("bundle", "import", file)
	student.Must("bundle", "verify", "class")
	name := student.up("--addon", "shop", "--offline")
	if got := student.addons(name)["shop"]; got.State != "ready" {
		t.Errorf("%+v", got)
	}
	if s.Requests() != requests {
		t.Error("the student's machine fetched a chart")
	}
	student.Must("down", name)
	student.Must("bundle", "remove", "class")
	for _, p := range []*user{teacher, student} {
		for _, dir := range []string{"config", "cache", "bin"} {
			if err := os.RemoveAll(filepath.Join(p.labHome, dir)); err != nil {
				t.Error(err)
			}
		}
	}
	if err := errors.Join(os.Remove(file), os.RemoveAll(alone)); err != nil {
		t.Error(err)
	}
}

// killDuringImport kills an import while it stores content, unless it is faster.
func (p *user) killDuringImport(file string) {
	p.T.Helper()
	cmd := p.command("bundle", "import", file)
	if err := cmd.Start(); err != nil {
		p.T.Fatal(err)
	}
	session.Eventually(p.T, time.Minute, func(context.Context) error {
		if files, _ := filepath.Glob(filepath.Join(p.labHome, "cache", "images", "blobs", "*", "*")); len(files) < 2 {
			return errors.New("nothing is stored yet")
		}
		return nil
	})
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	var list struct {
		Items []struct {
			Name     string
			Complete bool
		}
	}
	if err := json.Unmarshal([]byte(p.Must("bundle", "list", "-o", "json")), &list); err != nil {
		p.T.Fatal(err)
	}
	if len(list.Items) != 1 || list.Items[0].Name != "class" {
		p.T.Errorf("after the kill: %s", strings.TrimSpace(p.Must("bundle", "list")))
	}
}
