// Package confine restricts the access of the process to files of the machine, whatever objects the
// cluster contains.
package confine

import (
	"crypto/x509"
	"os"
	"time"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
)

const (
	read  = ll.AccessFSReadFile | ll.AccessFSReadDir
	write = read | ll.AccessFSWriteFile | ll.AccessFSTruncate | ll.AccessFSMakeReg | ll.AccessFSMakeDir |
		ll.AccessFSMakeSock | ll.AccessFSRemoveFile | ll.AccessFSRemoveDir
)

// ToWorkingDirectory restricts the process, until it ends, to reading and writing in the working
// directory. It returns the Landlock version of the kernel. It returns 0, and restricts nothing, if the
// kernel has no Landlock.
//
// Afterwards, the process cannot execute programs or signal other processes. It can still read the files
// that configure name resolution, and those of the kernel about this process. ToWorkingDirectory first
// reads the trusted certificates and the time zone of the machine.
func ToWorkingDirectory() (abi int, err error) {
	_, _ = x509.SystemCertPool() // an error here also occurs in each call of a webhook
	_, _ = time.Now().Zone()

	abi, err = ll.LandlockGetABIVersion()
	if err != nil || abi <= 0 {
		return 0, nil
	}
	rules := landlock.V11
	rules.HandledAccessNet = 0 // the engine itself chooses the addresses on which it listens
	return abi, rules.BestEffort().Restrict(
		landlock.PathAccess(write, "."),
		landlock.PathAccess(ll.AccessFSReadFile|ll.AccessFSWriteFile, os.DevNull),
		landlock.PathAccess(read, "/proc/self", "/run/systemd/resolve").IgnoreIfMissing(),
		landlock.PathAccess(ll.AccessFSReadFile, "/proc/stat", "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf").IgnoreIfMissing(),
	)
}
