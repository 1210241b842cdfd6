//go:build e2e

package kwok

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// processes returns the processes whose arguments or working directory contain a
// directory of the user, by ID.
func (p *user) processes() map[int]string {
	found := map[int]string{}
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		// Skips this test, and processes that have ended.
		if err != nil || pid == os.Getpid() {
			continue
		}
		args, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		works, _ := os.Readlink(filepath.Join(dir, "cwd"))
		if strings.Contains(string(args), p.root) || strings.HasPrefix(works, p.root) {
			found[pid] = strings.ReplaceAll(string(args), "\x00", " ")
		}
	}
	return found
}
