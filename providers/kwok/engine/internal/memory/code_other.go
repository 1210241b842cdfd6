//go:build !linux

package memory

// Code is not known on this system.
type Code struct{}

// FindCode returns nothing.
func FindCode() Code { return Code{} }

func (Code) release() {}
