package memory

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// mapsFile lists the mappings of this process.
const mapsFile = "/proc/self/maps"

// fixed is an address below which only programs with fixed addresses are mapped. In others, the loader
// changes constants, and these changes would be lost.
const fixed = 1 << 32

// Code is where the code and the constants of this program are mapped from its file.
type Code []mapping

type mapping struct{ from, to uintptr }

// FindCode returns the code of this program, or nothing if that is unknown. It reads a file that a
// confined process cannot read.
func FindCode() Code {
	program, err := os.Executable()
	if err != nil {
		return nil
	}
	file, err := os.Open(mapsFile)
	if err != nil {
		return nil
	}
	defer file.Close()
	var code Code
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if m, ok := parseMapping(lines.Text(), program); ok {
			code = append(code, m)
		}
	}
	return code
}

// parseMapping parses a line of the list of mappings, such as
// "00400000-0042a000 r-xp 00000000 fe:00 1234 /bin/lab-engine". It returns false for a mapping that can
// be written, or that is not at a fixed address of the program.
func parseMapping(line, program string) (mapping, bool) {
	fields := strings.Fields(line)
	if len(fields) != 6 || fields[5] != program || fields[1] != "r-xp" && fields[1] != "r--p" {
		return mapping{}, false
	}
	first, second, _ := strings.Cut(fields[0], "-")
	from, err := strconv.ParseUint(first, 16, 64)
	if err != nil || from >= fixed {
		return mapping{}, false
	}
	to, err := strconv.ParseUint(second, 16, 64)
	return mapping{uintptr(from), uintptr(to)}, err == nil && to > from
}

// release gives the pages of the code back to the system. The program reads those that it still needs
// again, from the cache of files. Two thirds are needed only while the cluster starts.
func (c Code) release() {
	for _, m := range c {
		// An error means only that the memory stays in use.
		_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, m.from, m.to-m.from, syscall.MADV_DONTNEED)
	}
}
