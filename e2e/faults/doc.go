// Package faults disturbs lab in the middle of its commands, and checks that what others own stays as it is and that
// nothing of lab's stays. It is the same for all flavors, which give it a Harness each.
package faults
