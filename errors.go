package roost

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// Stop ends a channel as wished: the client gets phx_close and does not join
// again.
var Stop = errors.New("roost: stop") //nolint:revive,staticcheck // returned like io.EOF and fs.SkipDir, which say what to do, not what failed

// Errors that a program meets.
var (
	// ErrNotJoined is returned by what needs a joined channel, inside Join or
	// after the end.
	ErrNotJoined = errors.New("roost: channel is not joined")

	// ErrNoRef is returned by Socket.Ref when there is nothing to reply to.
	ErrNoRef = errors.New("roost: no message to reply to")

	// ErrMailboxFull is returned when a channel does not keep up.
	ErrMailboxFull = errors.New("roost: mailbox full")

	// ErrUnhandled is returned by a HandleInfo that does not know the value.
	ErrUnhandled = errors.New("roost: unhandled info")

	// ErrRefused refuses a connection without a reason: HTTP 403.
	ErrRefused = errors.New("roost: connection refused")
)

var errInsideJoin = errors.New("the client is not there yet: send yourself a value with SendInfo, it is handled after the reply")

// Why a channel ended, as Terminate is told.
var (
	ErrLeft   = errors.New("roost: left by the client")
	ErrClosed = errors.New("roost: connection closed")
)

// PanicError is the error that a panic in a callback becomes.
type PanicError struct {
	Value any
	Stack []byte
}

// panicked is one, for a recover that is under way.
func panicked(v any) error { return &PanicError{Value: v, Stack: debug.Stack()} }

// Error says what was panicked with.
func (e *PanicError) Error() string { return fmt.Sprintf("roost: panic: %v", e.Value) }

// Unwrap returns the error that was panicked with, if it was one.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
