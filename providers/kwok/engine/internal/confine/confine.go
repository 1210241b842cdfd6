// Package confine keeps the process away from the files of the machine that it
// runs on, whatever objects people give to the cluster.
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

// ToWorkingDirectory confines the process, for good, to reading and writing in the working
// directory. It returns the version of Landlock that the kernel has, or 0 where
// it has none: then nothing is confined.
//
// Nothing can be executed afterwards, and no process outside be signalled. Readable
// stay the files that tell how names are resolved, and what the kernel tells of
// this process. Which certificates the machine trusts, and its time zone, are read
// before, once.
func ToWorkingDirectory() (abi int, err error) {
	_, _ = x509.SystemCertPool() // an error here is one of each call to a webhook later
	_, _ = time.Now().Zone()

	abi, err = ll.LandlockGetABIVersion()
	if err != nil || abi <= 0 {
		return 0, nil
	}
	rules := landlock.V11
	rules.HandledAccessNet = 0 // which addresses it listens on is the engine's own choice
	return abi, rules.BestEffort().Restrict(
		landlock.PathAccess(write, "."),
		landlock.PathAccess(ll.AccessFSReadFile|ll.AccessFSWriteFile, os.DevNull),
		landlock.PathAccess(read, "/proc/self", "/run/systemd/resolve").IgnoreIfMissing(),
		landlock.PathAccess(ll.AccessFSReadFile, "/proc/stat", "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf").IgnoreIfMissing(),
	)
}
