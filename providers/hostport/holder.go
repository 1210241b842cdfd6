package hostport

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Holder returns the name and the process ID of the program that listens on p, read from Linux's
// /proc below root ("/" is this machine). Only root sees programs of other users. If there is
// no such program or it cannot be seen, and on other systems, pid is 0.
func Holder(root string, p Port) (name string, pid int) {
	socket := ""
	for _, table := range tablesFor(p.Protocol) {
		if socket == "" {
			socket = socketAt(filepath.Join(root, "proc", "net", table), p.Number)
		}
	}
	if socket == "" {
		return "", 0
	}
	open, _ := filepath.Glob(filepath.Join(root, "proc", "[0-9]*", "fd", "*"))
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
		return []string{"udp", "udp6"}
	}
	return []string{"tcp", "tcp6"}
}

// socketAt returns the inode of the socket that listens on a port, on any address, according to
// one of the kernel's tables.
func socketAt(table string, port int) string {
	text, _ := os.ReadFile(table) // other systems have no such file
	suffix := fmt.Sprintf(":%04X", port)
	for line := range strings.Lines(string(text)) {
		// sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode
		fields := strings.Fields(line)
		if len(fields) >= 10 && strings.HasSuffix(fields[1], suffix) && strings.HasSuffix(fields[2], ":0000") {
			return fields[9]
		}
	}
	return ""
}
