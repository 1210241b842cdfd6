package packs

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// isRepository reports whether a reference is that of a git repository.
func isRepository(ref string) bool {
	remote := strings.Contains(ref, "://") || strings.HasPrefix(ref, "git@")
	return strings.HasPrefix(ref, "git+") || strings.HasPrefix(ref, "ssh://") || remote && strings.HasSuffix(ref, ".git")
}

// rejectPassword returns ErrInvalid for a URL with a password: other programs of the machine can see the arguments of git.
func rejectPassword(ref string) error {
	u, err := url.Parse(strings.TrimPrefix(ref, "git+"))
	if err != nil && strings.Contains(ref, "://") {
		err := fault.Errorf(fault.ErrInvalid, "the source is not a valid URL") // which may contain a password
		return fault.WithHint(err, "write special characters as %%XX, and leave out passwords: https://HOST/PATH.git")
	}
	if err != nil {
		return nil // git@HOST:PATH
	}
	if _, has := u.User.Password(); !has {
		return nil
	}
	err = fault.Errorf(fault.ErrInvalid, "%s contains a password, which other programs of this machine could see", fault.Redact(ref))
	return fault.WithHint(err, "remove it from the URL, and let git keep it: git credential approve")
}

// checkRevision returns ErrInvalid for a revision that git would read as a refspec or an option.
func checkRevision(revision string) error {
	special := func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`:?*[]^~\\`, r) }
	if !strings.ContainsFunc(revision, special) && !strings.HasPrefix(revision, "-") && !strings.HasPrefix(revision, "+") {
		return nil
	}
	err := fault.Errorf(fault.ErrInvalid, "the revision %q is not a branch, a tag or a complete commit", revision)
	return fault.WithHint(err, "list the branches and tags: git ls-remote URL")
}

// fetchRepository fetches one commit of a git repository, and reads its files without a checkout, so that no code of the
// repository runs.
func fetchRepository(ctx context.Context, src Source, d *draft) (string, string, error) {
	if err := checkRevision(src.Revision); err != nil {
		return "", "", err
	}
	address := strings.TrimPrefix(src.Ref, "git+")
	if _, err := os.Stat(address); err == nil {
		if address, err = filepath.Abs(address); err != nil {
			return "", "", err
		}
	}
	dir, err := os.MkdirTemp("", "lab-pack-")
	if err != nil {
		return "", "", fault.Errorf(fault.ErrUnavailable, "%w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if _, err := git(ctx, "init", "--quiet", "--bare", dir); err != nil {
		return "", "", err
	}
	in := "--git-dir=" + dir
	fetch, stderr := gitCommand(ctx, in, "fetch", "--quiet", "--depth=1", "--no-tags", "--", address, cmp.Or(src.Revision, "HEAD"))
	fetch.Env = append(fetch.Env, sshOptions(ctx, in)...)
	if err := fetch.Run(); err != nil {
		return "", "", errors.Join(ctx.Err(), gitError(err, stderr))
	}
	commit, err := git(ctx, in, "rev-parse", "FETCH_HEAD^{commit}")
	if err != nil {
		return "", "", err
	}
	revision := strings.TrimSpace(string(commit))
	shown := strings.TrimSuffix(path.Base(filepath.ToSlash(address)), ".git")
	return revision, shown, readCommit(ctx, in, revision, d)
}

// readCommit writes the files of a commit to a draft, while git prints them.
func readCommit(ctx context.Context, in, revision string, d *draft) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd, stderr := gitCommand(ctx, in, "archive", "--format=tar", revision)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return gitError(err, stderr)
	}
	limited := &limitedReader{from: out, left: maxArchive}
	err = untar(ctx, limited, d)
	if err == nil {
		_, err = io.Copy(io.Discard, limited)
	}
	if err != nil {
		cancel()
		_ = cmd.Wait()
		return err
	}
	if err := cmd.Wait(); err != nil {
		return gitError(err, stderr)
	}
	return nil
}

// git runs git, and returns what it prints.
func git(ctx context.Context, args ...string) ([]byte, error) {
	cmd, stderr := gitCommand(ctx, args...)
	out, err := cmd.Output()
	if err != nil {
		return nil, errors.Join(ctx.Err(), gitError(err, stderr))
	}
	return out, nil
}

// sshOptions returns the environment in which ssh does not prompt. It is empty if the user has configured an ssh command.
func sshOptions(ctx context.Context, in string) []string {
	if os.Getenv("GIT_SSH_COMMAND") != "" || os.Getenv("GIT_SSH") != "" {
		return nil
	}
	if _, err := git(ctx, in, "config", "--get", "core.sshCommand"); err == nil {
		return nil
	}
	return []string{"GIT_SSH_COMMAND=ssh -oBatchMode=yes"}
}

// gitCommand returns a git command that does not prompt, runs no hooks, and ignores the GIT_* variables of a repository
// from which lab was started.
func gitCommand(ctx context.Context, args ...string) (*exec.Cmd, *bytes.Buffer) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-c", "core.hooksPath=" + os.DevNull}, args...)...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.Contains([]string{"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"}, name)
	})
	cmd.Env = append(cmd.Env, "LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_ALLOW_PROTOCOL=file:https:ssh")
	stderr := &bytes.Buffer{}
	cmd.Stderr = stderr
	cmd.WaitDelay = 5 * time.Second
	return cmd, stderr
}

// gitError returns ErrUnavailable with the words of git.
func gitError(err error, stderr *bytes.Buffer) error {
	if errors.Is(err, exec.ErrNotFound) {
		err := fault.Errorf(fault.ErrUnavailable, "git is not installed")
		return fault.WithHint(err, "install git; or download the repository as an archive, and add that: lab pack add FILE.tar.gz")
	}
	lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
	words := cmp.Or(strings.TrimPrefix(lines[0], "fatal: "), err.Error())
	return fault.WithHint(fault.Errorf(fault.ErrUnavailable, "git: %s", fault.Redact(words)),
		"check the URL and the revision, which must be a branch, a tag or a complete commit: git ls-remote URL")
}
