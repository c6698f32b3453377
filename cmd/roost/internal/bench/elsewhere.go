//go:build !linux

// Package bench is Roost's load tool: `roost bench`. It needs Linux.
package bench

import (
	"context"
	"errors"
	"io"
	"runtime"
)

var errNeedsLinux = errors.New("bench: roost bench needs Linux (epoll, /proc, CPU clocks of other processes); this is " +
	runtime.GOOS + ". Run it in a Linux virtual machine or container, next to the server that it measures")

// Run says that it needs Linux.
func Run(context.Context, []string, io.Writer, io.Writer) error { return errNeedsLinux }
