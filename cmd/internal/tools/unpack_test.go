package tools

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"
)

// tarballOf returns an archive of one member, of any kind.
func tarballOf(t testing.TB, header *tar.Header, text string) []byte {
	t.Helper()
	var data bytes.Buffer
	zipped := gzip.NewWriter(&data)
	w := tar.NewWriter(zipped)
	header.Size = int64(len(text))
	if err := w.WriteHeader(header); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	return data.Bytes()
}

// Checksums keep damaged archives away, unless the catalog itself is wrong.
func TestUnpack(t *testing.T) {
	t.Parallel()
	regular := tarballOf(t, &tar.Header{Name: "./bin/k9s", Typeflag: tar.TypeReg}, "program")
	for what, tt := range map[string]struct {
		url    string
		data   []byte
		member string
		want   string // or part of the error
	}{
		"a member":              {"k.tar.gz", regular, "bin/k9s", "program"},
		"by a part of its name": {"k.tar.gz", regular, "k9s", "no file k9s in the archive"},
		"a link":                {"k.tar.gz", tarballOf(t, &tar.Header{Name: "k9s", Linkname: "/etc/passwd", Typeflag: tar.TypeSymlink}, ""), "k9s", "no file k9s"},
		"cut off":               {"k.tar.gz", regular[:40], "bin/k9s", "unexpected EOF"},
		"no tarball":            {"k.tar.gz", []byte("<html>"), "k9s", "unpack k.tar.gz"},
		"no zip":                {"k.zip", []byte("<html>"), "k9s", "unpack k.zip"},
		"no archive":            {"kubectl", []byte("program"), "", "program"},
	} {
		got, err := File{URL: "https://host/" + tt.url, Member: tt.member}.program(tt.data)
		if err == nil && string(got) != tt.want || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %q, %v; want %q", what, got, err, tt.want)
		}
	}
}

func TestUnpackLimitsSize(t *testing.T) {
	t.Parallel()
	const limit = 4096
	for name, size := range map[string]int{"k9s": limit + 1, "other": 16 * limit} {
		data := tarballOf(t, &tar.Header{Name: name, Typeflag: tar.TypeReg}, strings.Repeat("x", size))
		if _, err := fromTarball(data, "k9s", limit); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s, of %d bytes, in a tarball: %v", name, size, err)
		}
	}
	data := zipOf(t, "k9s", strings.Repeat("x", limit+1))
	if _, err := fromZip(data, "k9s", limit); err == nil {
		t.Error("the zip was unpacked")
	}
	if got, err := fromZip(data, "k9s", limit+1); err != nil || len(got) != limit+1 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func zipOf(t testing.TB, name, text string) []byte {
	t.Helper()
	var data bytes.Buffer
	w := zip.NewWriter(&data)
	f, err := w.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return data.Bytes()
}

// FuzzProgram checks that every archive is unpacked or refused.
func FuzzProgram(f *testing.F) {
	f.Add(zipOf(f, "k9s", "program"))
	f.Add(tarballOf(f, &tar.Header{Name: "k9s", Typeflag: tar.TypeReg}, "program"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, url := range []string{"https://host/k.tar.gz", "https://host/k.zip"} {
			program, err := File{URL: url, Member: "k9s"}.program(data)
			if err == nil && len(program) > maxProgram {
				t.Errorf("%d bytes came out of %d", len(program), len(data))
			}
		}
	})
}
