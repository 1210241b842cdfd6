package cli

import "testing"

// TestSizes checks that all flags for sizes have the units of Kubernetes.
func TestSizes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]byteSize{
		"0": 0, "512": 512, "512B": 512, "1k": 1e3, "1K": 1e3, "1kB": 1e3, "500M": 5e8, "20G": 20e9, "4GB": 4e9, "1.5G": 15e8, "2T": 2e12,
		"1Ki": 1 << 10, "4000Mi": 4000 << 20, "4Gi": 4 << 30, "4GiB": 4 << 30, "1Ti": 1 << 40,
	} {
		var b byteSize
		if err := b.Set(text); err != nil || b != want {
			t.Errorf("%s is %d bytes, want %d: %v", text, b, want, err)
		}
	}
	for _, text := range []string{"", "G", "4g", "5m", "-1G", "1e9", "4 G", "4GG", "4Gb", "1E", "much", "99999999T"} {
		b := byteSize(7)
		if err := b.Set(text); err == nil || b != 7 {
			t.Errorf("%q is %d bytes: %v", text, b, err)
		}
	}
}

// TestSizeDefaults checks that a size is printed as a flag accepts it.
func TestSizeDefaults(t *testing.T) {
	t.Parallel()
	for _, want := range []byteSize{0, 512, 1500, 20e9, 2e12} {
		var got byteSize
		if err := got.Set(want.String()); err != nil || got != want {
			t.Errorf("%d is printed as %s, which is %d: %v", want, want.String(), got, err)
		}
	}
	if err := byteSize(5).atLeast("--split", true); err == nil {
		t.Error("5 bytes are enough")
	}
	if err := byteSize(0).atLeast("--split", false); err != nil {
		t.Error(err)
	}
}
