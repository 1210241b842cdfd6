package cli

import "os"

// terminate ends a process: Windows has no way to ask one that has no window.
func terminate(p *os.Process) error { return p.Kill() }
