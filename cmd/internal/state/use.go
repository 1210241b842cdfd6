package state

import (
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Use marks the cluster name as used by this process, until it calls release or ends,
// however it ends. The cluster need not exist. Errors: ErrExists where another process
// uses it; ErrInvalid; ErrUnavailable. release may be called more than once.
//
// It is no [Store.Lock], because whoever uses a cluster lets others work on it.
func (s *Store) Use(name string) (release func(), err error) { return s.hold(name, usedFile) }

// Used tells whether a process uses the cluster name.
func (s *Store) Used(name string) bool { return s.held(name, usedFile) }

// Watch makes this process the one that waits for the end of the cluster name. It
// returns ErrExists where there is such a process, and otherwise what Use does.
func (s *Store) Watch(name string) (release func(), err error) { return s.hold(name, watchFile) }

// attempts is how often a directory may be taken away at the very moment: each takes
// another lab that has just removed its last cluster.
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
