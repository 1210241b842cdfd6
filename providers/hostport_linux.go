package providers

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// holderOf returns the program that listens at a port, by what the kernel shows of it:
// the table of sockets says which socket it is, and a process has that open. Of other
// users' processes only root can see it; then, and where there is none, pid is 0.
func holderOf(p Port) (name string, pid int) {
	socket := ""
	for _, table := range tablesFor(p.Protocol) {
		if socket = socketAt(table, p); socket != "" {
			break
		}
	}
	if socket == "" {
		return "", 0
	}
	open, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, fd := range open {
		if target, err := os.Readlink(fd); err != nil || target != "socket:["+socket+"]" {
			continue
		}
		dir := filepath.Dir(filepath.Dir(fd))
		comm, _ := os.ReadFile(filepath.Join(dir, "comm"))
		pid, _ := strconv.Atoi(filepath.Base(dir))
		return strings.TrimSpace(string(comm)), pid
	}
	return "", 0
}

func tablesFor(protocol string) []string {
	if protocol == "udp" {
		return []string{"/proc/net/udp", "/proc/net/udp6"}
	}
	return []string{"/proc/net/tcp", "/proc/net/tcp6"}
}

// socketAt returns the inode of the socket that listens at a port of any address, as
// hexadecimal numbers in one of the kernel's tables say.
func socketAt(table string, p Port) string {
	f, err := os.Open(table)
	if err != nil {
		return ""
	}
	defer f.Close()
	port := fmt.Sprintf(":%04X", p.Host)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		// sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode
		fields := strings.Fields(lines.Text())
		if len(fields) < 10 || !strings.HasSuffix(fields[1], port) || !strings.HasSuffix(fields[2], ":0000") {
			continue
		}
		return fields[9]
	}
	return ""
}
