package store

import (
	"errors"
	"fmt"
	"hash"
	"io"
	"os"

	"github.com/opencontainers/go-digest"
)

// Blob is content that can be read. If it is read from its beginning to its end, its last byte is returned only
// after all bytes match the digest: damaged content is never complete.
type Blob struct {
	source source
	size   int64
	offset int64
}

// source provides the bytes of a blob. ReadAt may return fewer bytes than requested.
type source interface {
	io.ReaderAt
	io.Closer
}

// Size returns the number of bytes.
func (b *Blob) Size() int64 { return b.size }

// Close releases the blob.
func (b *Blob) Close() error { return b.source.Close() }

// Seek sets the position of the next Read.
func (b *Blob) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += b.offset
	case io.SeekEnd:
		offset += b.size
	}
	if offset < 0 {
		return 0, errors.New("negative position")
	}
	b.offset = offset
	return offset, nil
}

// Read reads the next bytes. It waits for bytes of a blob that is still being fetched.
func (b *Blob) Read(p []byte) (int, error) {
	if b.offset >= b.size {
		return 0, io.EOF
	}
	n, err := b.source.ReadAt(p[:min(int64(len(p)), b.size-b.offset)], b.offset)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF // the file became shorter
	}
	if err != nil {
		return 0, err
	}
	b.offset += int64(n)
	return n, nil
}

// stored is the source of a blob that is complete.
type stored struct {
	file   *os.File
	digest digest.Digest
	size   int64
	sum    hash.Hash // of the first summed bytes
	summed int64
}

// ReadAt hashes what is read, as long as it is read in order. A part of a blob cannot be verified.
func (s *stored) ReadAt(p []byte, offset int64) (int, error) {
	n, err := s.file.ReadAt(p, offset)
	if err != nil || offset != s.summed {
		return n, err
	}
	s.sum.Write(p[:n])
	s.summed += int64(n)
	if s.summed == s.size && digest.NewDigest(digest.SHA256, s.sum) != s.digest {
		return 0, s.damaged()
	}
	return n, nil
}

// damaged removes the file, so that the content is fetched again: otherwise no retry could ever succeed.
func (s *stored) damaged() error {
	return errors.Join(fmt.Errorf("%s %w: the file was removed", s.digest, ErrDamaged), os.Remove(s.file.Name()))
}

func (s *stored) Close() error { return s.file.Close() }
