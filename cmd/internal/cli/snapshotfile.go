package cli

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

func newSnapshotExport(c *command) *cobra.Command {
	return &cobra.Command{
		Use:   "export NAME FILE",
		Short: "Write a snapshot to one file",
		Long: `Write a snapshot to one file, which "lab snapshot import" reads on another machine with
the same processor architecture and the same version of lab. Only your user can read the
file: it contains the Secrets of the cluster. An existing file is not overwritten.`,
		Example:           `  lab snapshot export base base.lab`,
		Args:              snapshotFileArgs(2, 2),
		ValidArgsFunction: c.completeSnapshots,
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[1] == "-" {
				return fault.WithHint(usage("a snapshot is exported to a file, not to standard output"), "name a file: %s %s %s.lab", cmd.CommandPath(), args[0], args[0])
			}
			progress := c.progress("")
			defer progress.Close()
			report := event.Reporter(progress.Report)
			return report.Do("Exporting the snapshot", func(*event.Step) error {
				return writeNew(cmd.Context(), args[1], func(w io.Writer) error { return c.Snapshots.Export(args[0], w) })
			})
		},
	}
}

// writeNew creates a file, readable for its owner only, with what write writes. After an error there is
// no file. It returns ErrExists if the file exists.
func writeNew(ctx context.Context, path string, write func(io.Writer) error) error {
	if _, err := os.Lstat(path); err == nil {
		return taken(path)
	}
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".") // 0600
	if err != nil {
		return unwritable(path, err)
	}
	out := &target{ctx: ctx, file: file}
	if err = write(out); err == nil {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	if err == nil {
		err = renameNew(file.Name(), path)
	}
	if err == nil {
		return nil
	}
	_ = os.Remove(file.Name())
	if out.err != nil {
		return unwritable(path, out.err)
	}
	return err
}

// renameNew renames a file. Unlike os.Rename, it returns ErrExists if another program created the file to in the meantime.
// It reserves the name first, because file systems of USB drives have no hard links.
func renameNew(from, to string) error {
	reserved, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist):
		return taken(to)
	case err != nil:
		return unwritable(to, err)
	}
	if err := errors.Join(reserved.Close(), os.Rename(from, to)); err != nil {
		return errors.Join(unwritable(to, err), os.Remove(to))
	}
	return nil
}

func taken(path string) error {
	return fault.WithHint(fault.Errorf(fault.ErrExists, "the file %s exists already", path), "choose another name, or remove the file: rm %s", fault.ShellWord(path))
}

// target remembers the error of a file, to tell it from those of what is written. It writes nothing
// after ctx has ended.
type target struct {
	ctx  context.Context
	file *os.File
	err  error
}

func (t *target) Write(p []byte) (int, error) {
	if err := t.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := t.file.Write(p)
	if err != nil {
		t.err = err
	}
	return n, err
}

func unwritable(path string, err error) error {
	return fault.WithHint(fault.Errorf(fault.ErrUnavailable, "cannot write %s: %w", path, err), "use a writable directory on a disk with free space")
}

func newSnapshotImport(c *command) *cobra.Command {
	return &cobra.Command{
		Use:   "import FILE [NAME]",
		Short: "Read a snapshot from a file",
		Long: `Read a snapshot from a file that "lab snapshot export" wrote; - reads standard input.
NAME defaults to the name that the snapshot had. lab verifies all checksums. The exit
code is 4 if there is a snapshot of that name or the file is damaged.`,
		Example: `  lab snapshot import base.lab`,
		Args:    snapshotFileArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			in, err := c.openFile("import", args[0])
			if err != nil {
				return unreadable("the snapshot", err)
			}
			defer func() { _ = in.Close() }()
			name := ""
			if len(args) > 1 {
				name = args[1]
			}
			saved, err := c.Snapshots.Import(cmd.Context(), in, name)
			if err != nil {
				return err
			}
			return ui.Print(c.streams.Out, c.format, saved, func() ui.View { return snapshotView(saved) })
		},
	}
}

// snapshotFileArgs accepts between least and most arguments.
func snapshotFileArgs(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) >= least && len(args) <= most {
			return nil
		}
		return fault.WithHint(usage("usage: lab snapshot %s", cmd.Use), "show the usage: %s --help", cmd.CommandPath())
	}
}
