//go:build !linux

package main

import (
	"errors"
	"fmt"
)

// become needs Linux: elsewhere not all threads of a Go program change at once.
func become(account) error {
	return fmt.Errorf("flag -user: %w: only on Linux; start the server as that user", errors.ErrUnsupported)
}
