//go:build !linux

// Package reuseport lets several processes listen on one port. It needs Linux:
// elsewhere the option has other meanings.
package reuseport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
)

// Control refuses.
func Control(string, string, syscall.RawConn) error {
	return fmt.Errorf("several processes on one port need Linux: %w", errors.ErrUnsupported)
}

// Migrates reports false.
func Migrates() bool { return false }

// Emptied does nothing.
func Emptied(context.Context, net.Listener) {}
