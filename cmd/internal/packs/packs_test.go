package packs

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// newStore returns an empty store.
func newStore(t *testing.T) *Store {
	t.Helper()
	return &Store{Dir: filepath.Join(t.TempDir(), "packs"), Builtin: "lecture", Now: time.Now,
		Fetch: func(context.Context, string, int64) ([]byte, string, error) {
			return nil, "", errors.New("no registry")
		}}
}

// newPack returns the directory of a valid pack.
func newPack(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	if err := New(dir, name); err != nil {
		t.Fatal(err)
	}
	return dir
}

// change replaces text in a file of a pack.
func change(t *testing.T, dir, file, from, to string) {
	t.Helper()
	path := filepath.Join(dir, file)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), from) {
		t.Fatalf("%s does not contain %q", file, from)
	}
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(data), from, to)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// entry is a file of an archive.
type entry struct {
	name, content string
	kind          byte // 0: a file
}

// archiveOf returns a gzipped tar with the files of a directory below prefix, and with more.
func archiveOf(t *testing.T, dir, prefix string, more ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	files := tar.NewWriter(zipped)
	add := func(e entry) {
		kind := e.kind
		if kind == 0 {
			kind = tar.TypeReg
		}
		h := &tar.Header{Name: e.name, Typeflag: kind, Mode: 0o777, Size: int64(len(e.content))}
		if kind != tar.TypeReg {
			h.Linkname, h.Size = e.content, 0
		}
		if err := files.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if kind == tar.TypeReg {
			_, _ = files.Write([]byte(e.content))
		}
	}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, name))
		add(entry{name: prefix + name, content: string(data)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range more {
		add(e)
	}
	if err := errors.Join(files.Close(), zipped.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// write writes a file, and returns its path.
func write(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// nothingStored fails the test if the store has a pack or leftovers.
func nothingStored(t *testing.T, s *Store) {
	t.Helper()
	if entries, err := os.ReadDir(s.Dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the store has %v, %v", entries, err)
	}
}

// TestAddAndRemove adds a pack from a directory. Only the user can read it, and it does not depend on the directory.
func TestAddAndRemove(t *testing.T) {
	t.Parallel()
	s, dir := newStore(t), newPack(t, "mine")
	if err := os.MkdirAll(filepath.Join(dir, ".git"), 0o700); err != nil {
		t.Fatal(err)
	}
	change(t, dir, "greeting/en.md", "Only one", "Just one")
	added, err := s.Add(t.Context(), Source{Ref: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	got, err := s.Get("mine")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(added.Record, got.Record); diff != "" || got.Pack.Exercises[0].Name != "greeting" || got.Source != dir {
		t.Errorf("%+v (-added +read):\n%s", got, diff)
	}
	err = filepath.WalkDir(s.Dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if mode := info.Mode().Perm(); mode != 0o600 && mode != 0o700 || e.Name() == ".git" || strings.HasPrefix(e.Name(), draftPrefix) {
			t.Errorf("%s has mode %v", path, mode)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Add(t.Context(), Source{Ref: newPack(t, "mine")})
	if !errors.Is(err, fault.ErrExists) || !strings.Contains(fault.HintOf(err), "lab pack remove mine") {
		t.Errorf("a second pack of the name: %v (hint: %s)", err, fault.HintOf(err))
	}
	if names, err := s.Names(); err != nil || len(names) != 1 {
		t.Errorf("%v, %v", names, err)
	}
	if kept, err := s.Remove("mine"); err != nil || kept != "" {
		t.Fatal(err)
	}
	nothingStored(t, s)
	for name, kind := range map[string]error{"mine": fault.ErrNotFound, "lecture": fault.ErrInvalid, "../x": fault.ErrInvalid} {
		if _, err := s.Remove(name); !errors.Is(err, kind) {
			t.Errorf("removing %s: %v, want %v", name, err, kind)
		}
	}
}

// TestChanged: a pack whose files were changed is not used, and can be removed.
func TestChanged(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	if _, err := s.Add(t.Context(), Source{Ref: newPack(t, "mine")}); err != nil {
		t.Fatal(err)
	}
	change(t, filepath.Join(s.Dir, "mine", filesDir), "greeting/en.md", "Only one", "Just one")
	if _, err := s.Get("mine"); !errors.Is(err, fault.ErrForeign) || !strings.Contains(fault.HintOf(err), "lab pack remove mine") {
		t.Errorf("%v", err)
	}
	if list, err := s.List(); len(list) != 0 || !errors.Is(err, fault.ErrForeign) {
		t.Errorf("%v, %v", list, err)
	}
	if kept, err := s.Remove("mine"); err != nil || kept == "" {
		t.Errorf("kept %q, %v", kept, err)
	}
}

// TestAddRefuses: packs that are not valid are refused with their position, and nothing is stored.
func TestAddRefuses(t *testing.T) {
	t.Parallel()
	const yaml = "greeting/exercise.yaml"
	bomb := "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
	for i := 'b'; i < 'h'; i++ {
		bomb += fmt.Sprintf("%c: &%[1]c [*%[2]c, *%[2]c, *%[2]c, *%[2]c, *%[2]c, *%[2]c, *%[2]c, *%[2]c, *%[2]c, *%[2]c]\n", i, i-1)
	}
	for name, test := range map[string]struct {
		file, from, to, says string
	}{
		"CEL":             {yaml, `greeting.data.text == "hello"`, `greting.data.text == "hello"`, "exercise.yaml:10:11: invalid CEL"},
		"type":            {yaml, `greeting.data.text == "hello"`, `1 + 1`, "exercise.yaml:10:11: "},
		"cycle":           {yaml, "start:", "after: [greeting]\nstart:", "exercises are after each other in a cycle"},
		"language":        {"pack.yaml", "[en]", "[en, ru]", "cannot read greeting/ru.md"},
		"image":           {"greeting/start.yaml", "kind: ConfigMap", "kind: Pod\nspec: {containers: [{name: a, image: a}]}", `start.yaml:1:1: the image "a" is not declared`},
		"cluster":         {"greeting/start.yaml", "apiVersion: v1\nkind: ConfigMap", "apiVersion: v1\nkind: Node", "a Node is not in a namespace"},
		"outside":         {yaml, "start.yaml", "../../start.yaml", "exercise.yaml:5:9: "},
		"bomb":            {"greeting/start.yaml", "data: {text: goodbye}", bomb, "start.yaml:1:1: the manifest is too large"},
		"bomb of a pack":  {"pack.yaml", "languages: [en]", bomb, "pack.yaml:"},
		"the builtin one": {"pack.yaml", "name: mine", "name: lecture", `there is a pack "lecture" already`},
		"no pack":         {"pack.yaml", "apiVersion: lab/v1alpha1\nkind: Pack", "", "pack.yaml:"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, dir := newStore(t), newPack(t, "mine")
			change(t, dir, test.file, test.from, test.to)
			_, err := s.Add(t.Context(), Source{Ref: dir})
			if err == nil || !strings.Contains(err.Error(), test.says) || fault.HintOf(err) == "" {
				t.Errorf("%v (hint: %s), want %q", err, fault.HintOf(err), test.says)
			}
			nothingStored(t, s)
		})
	}
}

// TestAddArchive: an archive with the pack at its top, in a directory, and in a named directory.
func TestAddArchive(t *testing.T) {
	t.Parallel()
	dir := newPack(t, "mine")
	for prefix, within := range map[string]string{"": "", "./": "", "mine-main/": "", "courses/mine/": "courses/mine"} {
		s := newStore(t)
		added, err := s.Add(t.Context(), Source{Ref: write(t, "mine.tar.gz", archiveOf(t, dir, prefix)), Path: within})
		if err != nil || !strings.HasPrefix(added.Revision, "sha256:") {
			t.Errorf("%q: %+v, %v", prefix, added.Record, err)
			continue
		}
		if _, err := s.Get("mine"); err != nil {
			t.Errorf("%q: %v", prefix, err)
		}
	}
}

// TestAddArchiveRefuses: archives with anything but files below the pack, and archives that are too large or damaged.
func TestAddArchiveRefuses(t *testing.T) {
	t.Parallel()
	dir := newPack(t, "mine")
	whole := archiveOf(t, dir, "")
	broken := bytes.Clone(whole)
	broken[len(broken)-6] ^= 1 // in the checksum
	var many []entry
	for i := range maxFiles {
		many = append(many, entry{name: fmt.Sprint("x", i)})
	}
	for name, test := range map[string]struct {
		archive []byte
		within  string
		says    string
	}{
		"slip":          {archiveOf(t, dir, "", entry{name: "../../slip"}), "", `the path "../../slip" leads outside the pack`},
		"absolute":      {archiveOf(t, dir, "", entry{name: "/tmp/slip"}), "", `the path "/tmp/slip" leads outside the pack`},
		"link":          {archiveOf(t, dir, "", entry{"link", "/etc", tar.TypeSymlink}, entry{name: "link/x"}), "", `"link" is not a file or directory`},
		"hard link":     {archiveOf(t, dir, "", entry{"link", "pack.yaml", tar.TypeLink}), "", `"link" is not a file or directory`},
		"device":        {archiveOf(t, dir, "", entry{"null", "", tar.TypeChar}), "", `"null" is not a file or directory`},
		"twice":         {archiveOf(t, dir, "", entry{name: "pack.yaml"}), "", `it contains "pack.yaml" twice`},
		"bomb":          {archiveOf(t, dir, "", entry{name: "zeros", content: strings.Repeat("\x00", maxBytes)}), "", "the pack is too large: its files have more than 16 MB"},
		"many":          {archiveOf(t, dir, "", many...), "", "the pack is too large: it has more than 2000 files"},
		"short":         {whole[:len(whole)/2], "", "it is damaged: unexpected EOF"},
		"checksum":      {broken, "", "it is damaged: gzip: invalid checksum"},
		"text":          {[]byte("name: mine"), "", "it is not a gzipped tar"},
		"no pack":       {archiveOf(t, dir, "a/b/"), "", "there is no pack.yaml"},
		"outside":       {whole, "../x", `the path "../x" leads outside`},
		"not a package": {archiveOf(t, dir, "", entry{name: "pack.yaml/x"}), "", "cannot add the pack"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t)
			_, err := s.Add(t.Context(), Source{Ref: write(t, "mine.tar.gz", test.archive), Path: test.within})
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v, want %q", err, test.says)
			}
			nothingStored(t, s)
		})
	}
}

// TestAddDirectoryWithLink: a link is refused, for it leads to what changes later.
func TestAddDirectoryWithLink(t *testing.T) {
	t.Parallel()
	s, dir := newStore(t), newPack(t, "mine")
	if err := os.Symlink("/etc/hostname", filepath.Join(dir, "link")); err != nil {
		t.Skip(err)
	}
	if _, err := s.Add(t.Context(), Source{Ref: dir}); !errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), `"link" is not a file`) {
		t.Errorf("%v", err)
	}
	nothingStored(t, s)
}

// TestAddArtifact: the archive and the digest come from the registry.
func TestAddArtifact(t *testing.T) {
	t.Parallel()
	s, dir := newStore(t), newPack(t, "mine")
	s.Fetch = func(_ context.Context, reference string, limit int64) ([]byte, string, error) {
		if reference != "oci://registry.example/packs/mine:v1" || limit <= 0 {
			t.Errorf("%s, %d", reference, limit)
		}
		return archiveOf(t, dir, "mine/"), "sha256:abc", nil
	}
	added, err := s.Add(t.Context(), Source{Ref: "oci://registry.example/packs/mine:v1"})
	if err != nil || added.Revision != "sha256:abc" {
		t.Errorf("%+v, %v", added.Record, err)
	}
	if _, err := s.Add(t.Context(), Source{Ref: "oci://registry.example/packs/mine:v1", Revision: "v1"}); !errors.Is(err, fault.ErrInvalid) {
		t.Errorf("with a revision: %v", err)
	}
}

// TestAddRepository: a commit of a git repository, by branch, by commit, and below a directory. Its hooks and filters
// do not run.
func TestAddRepository(t *testing.T) {
	t.Parallel()
	repository := t.TempDir()
	run := func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-C", repository, "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	run("init", "--quiet", "--initial-branch=main")
	if err := New(filepath.Join(repository, "mine"), "mine"); err != nil {
		t.Fatal(err)
	}
	run("add", ".")
	run("commit", "--quiet", "--message=first")
	first := run("rev-parse", "HEAD")
	change(t, repository, "mine/pack.yaml", "name: mine", "name: other")
	run("commit", "--quiet", "--all", "--message=second")
	second := run("rev-parse", "HEAD")
	address := "git+file://" + filepath.ToSlash(repository)
	for _, test := range []struct {
		src          Source
		name, commit string
	}{
		{Source{Ref: address}, "other", second},
		{Source{Ref: address, Revision: "main", Path: "mine"}, "other", second},
		{Source{Ref: address, Revision: first}, "mine", first},
		{Source{Ref: repository, Revision: first}, "mine", first},
	} {
		s := newStore(t)
		added, err := s.Add(t.Context(), test.src)
		if err != nil || added.Pack.Name != test.name || added.Revision != test.commit {
			t.Errorf("%+v: %+v, %v", test.src, added.Record, err)
		}
	}
	for _, test := range []struct {
		src  Source
		kind error
		says string
	}{
		{Source{Ref: address, Revision: "nosuch"}, fault.ErrUnavailable, "git: "},
		{Source{Ref: address, Revision: "--upload-pack=touch"}, fault.ErrInvalid, "is not a branch"},
		{Source{Ref: address, Revision: "main:refs/heads/x"}, fault.ErrInvalid, "is not a branch"},
		{Source{Ref: address, Revision: "+main"}, fault.ErrInvalid, "is not a branch"},
		{Source{Ref: "git+https://me:secret%zz@git.example/r.git"}, fault.ErrInvalid, "not a valid URL"},
		{Source{Ref: "git+ext::sh -c touch% /tmp/x"}, fault.ErrUnavailable, "transport 'ext' not allowed"},
		{Source{Ref: "git+https://me:secret@git.example/r.git"}, fault.ErrInvalid, "contains a password"},
		{Source{Ref: address, Path: "nosuch"}, fault.ErrInvalid, "there is no pack.yaml"},
		{Source{Ref: "https://git.example/pack.tar.gz"}, fault.ErrInvalid, "not a git repository"},
		{Source{Ref: "./nosuch"}, fault.ErrNotFound, "no directory or archive"},
	} {
		s := newStore(t)
		_, err := s.Add(t.Context(), test.src)
		if !errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "secret") || fault.HintOf(err) == "" {
			t.Errorf("%+v: %v (hint: %s), want %q", test.src, err, fault.HintOf(err), test.says)
		}
		nothingStored(t, s)
	}
}

// TestLeftovers: what a killed process left is removed later, and is never a pack.
func TestLeftovers(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	left := filepath.Join(s.Dir, draftPrefix+"1")
	if err := os.MkdirAll(filepath.Join(left, "all"), 0o700); err != nil {
		t.Fatal(err)
	}
	if list, err := s.List(); len(list) != 0 || err != nil {
		t.Errorf("%v, %v", list, err)
	}
	s.Now = func() time.Time { return time.Now().Add(2 * leftoverAge) }
	if _, err := s.Add(t.Context(), Source{Ref: newPack(t, "mine")}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the leftovers are still there: %v", err)
	}
}

// TestNew: a new pack is valid, and does not replace a directory.
func TestNew(t *testing.T) {
	t.Parallel()
	dir := newPack(t, "mine")
	if pack, _, err := load(dir, dir); err != nil || pack.Name != "mine" {
		t.Errorf("%v", err)
	}
	if err := New(dir, "mine"); !errors.Is(err, fault.ErrExists) || fault.HintOf(err) == "" {
		t.Errorf("again: %v", err)
	}
	if err := New(filepath.Join(t.TempDir(), "x"), "../x"); !errors.Is(err, fault.ErrInvalid) {
		t.Errorf("an invalid name: %v", err)
	}
	if err := New(filepath.Join(t.TempDir(), "x"), "lecture"); !errors.Is(err, fault.ErrInvalid) || fault.HintOf(err) == "" {
		t.Errorf("the name of the builtin pack: %v", err)
	}
}

// TestRemoveKeepsForeignFiles: what lab did not write is moved, or stays where it is.
func TestRemoveKeepsForeignFiles(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"notes.txt", "pack/notes.txt", "pack/pack.yaml", "record.json"} {
		s := newStore(t)
		if _, err := s.Add(t.Context(), Source{Ref: newPack(t, "mine")}); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(s.Dir, "mine", file), []byte("by hand"), 0o600); err != nil {
			t.Fatal(err)
		}
		kept, err := s.Remove("mine")
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if data, err := os.ReadFile(filepath.Join(kept, file)); string(data) != "by hand" {
			t.Errorf("%s: %q, %v", file, data, err)
		}
		if _, err := s.Add(t.Context(), Source{Ref: newPack(t, "mine")}); err != nil {
			t.Errorf("%s: add again: %v", file, err)
		}
		if list, err := s.List(); len(list) != 1 || err != nil {
			t.Errorf("%s: %v, %v", file, list, err)
		}
	}
	s := newStore(t)
	foreign := filepath.Join(s.Dir, "foreign")
	if err := os.MkdirAll(foreign, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Remove("foreign"); !errors.Is(err, fault.ErrForeign) || fault.HintOf(err) == "" {
		t.Errorf("a directory without a record: %v", err)
	}
	if _, err := os.Stat(foreign); err != nil {
		t.Error(err)
	}
}

// TestSSHOptions: ssh asks for nothing, and the user's own ssh command is used.
func TestSSHOptions(t *testing.T) {
	config := filepath.Join(t.TempDir(), "gitconfig")
	t.Setenv("GIT_CONFIG_GLOBAL", config)
	for _, name := range []string{"GIT_SSH", "GIT_SSH_COMMAND"} {
		t.Setenv(name, "")
	}
	in := "--git-dir=" + filepath.Join(t.TempDir(), "none")
	if got := sshOptions(t.Context(), in); len(got) != 1 {
		t.Errorf("without a command: %v", got)
	}
	t.Run("GIT_SSH", func(t *testing.T) {
		t.Setenv("GIT_SSH", "/usr/bin/plink")
		if got := sshOptions(t.Context(), in); got != nil {
			t.Errorf("%v", got)
		}
	})
	if err := os.WriteFile(config, []byte("[core]\n\tsshCommand = ssh -i key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := sshOptions(t.Context(), in); got != nil {
		t.Errorf("core.sshCommand: %v", got)
	}
}
