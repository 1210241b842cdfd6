package memory

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestParseMapping checks that only code and constants at fixed addresses are given back: changes to
// other pages would be lost.
func TestParseMapping(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]bool{
		"00400000-0042a000 r-xp 00000000 fe:00 12 /bin/lab-engine":         true,
		"0042a000-0052a000 r--p 0002a000 fe:00 12 /bin/lab-engine":         true,
		"0052a000-0062a000 rw-p 0012a000 fe:00 12 /bin/lab-engine":         false,
		"555555554000-555555556000 r--p 00000000 fe:00 12 /bin/lab-engine": false,
		"00400000-0042a000 r-xp 00000000 fe:00 12 /bin/other":              false,
		"c000000000-c000400000 rw-p 00000000 00:00 0":                      false,
		"": false,
	} {
		if _, got := parseMapping(line, "/bin/lab-engine"); got != want {
			t.Errorf("%q: %v, want %v", line, got, want)
		}
	}
}

// TestRelease checks that the process uses less memory of files afterwards, and goes on.
func TestRelease(t *testing.T) {
	code := FindCode()
	if len(code) == 0 {
		t.Skip("this test is built for changing addresses, as the race detector is on some systems")
	}
	for _, m := range code {
		for _, n := range []uintptr{m.from, m.to} {
			if n%uintptr(os.Getpagesize()) != 0 {
				t.Fatalf("%x is not the address of a page", n)
			}
		}
	}
	before := fileMemory(t)
	code.release()
	if after := fileMemory(t); after >= before {
		t.Errorf("%d kB of files before, and %d kB after", before, after)
	}
}

// fileMemory returns how much memory of files this process uses, in kB.
func fileMemory(t *testing.T) int {
	t.Helper()
	file, err := os.Open("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), "RssFile:"); ok {
			n, err := strconv.Atoi(strings.Fields(value)[0])
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatal("no RssFile")
	return 0
}
