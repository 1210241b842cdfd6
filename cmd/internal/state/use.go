package state

import (
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Use marks the cluster name as used by this process, until it calls release or ends, for whatever
// reason. The cluster need not exist. Errors: ErrExists if another process uses it; ErrInvalid;
// ErrUnavailable. release may be called more than once.
//
// Unlike [Store.Lock], Use lets other processes work on the cluster.
func (s *Store) Use(name string) (release func(), err error) { return s.hold(name, usedFile) }

// Used reports whether a process uses the cluster name.
func (s *Store) Used(name string) bool { return s.held(name, usedFile) }

// Watch marks this process as the one that removes the cluster name when it expires. It returns
// ErrExists if there is such a process, and otherwise the errors of Use.
func (s *Store) Watch(name string) (release func(), err error) { return s.hold(name, watchFile) }

// attempts limits how often hold tries again because the directory was removed. Each time takes
// another lab process that removes its last cluster at that moment.
const attempts = 100

func (s *Store) hold(name, file string) (release func(), err error) {
	if err := providers.ValidateName(name); err != nil {
		return nil, err
	}
	l, err := s.tryLock(name, file)
	for n := 0; n < attempts && vanishing(err); n++ {
		l, err = s.tryLock(name, file)
	}
	if err != nil {
		return nil, s.unavailable("lock", err)
	}
	if l == nil {
		return nil, fault.Errorf(fault.ErrExists, "cluster %q is %s by process %d", name, file, holder(s.path(name, file)))
	}
	return func() { s.unlock(name, l) }, nil
}
