package doctor

import "errors"

// free is not asked for on Windows, where the engine has a disk of its own.
func free(string) (uint64, error) { return 0, errors.New("the engine has a disk of its own") }
