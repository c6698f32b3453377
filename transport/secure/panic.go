package secure

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
)

// PanicError is what Config.Failed is told of a handshake in which a callback of
// Config.TLS panicked. It ends that connection only, as in net/http.
type PanicError struct {
	Value any    // that it panicked with
	Stack []byte // of the handshake
}

// Error says what was panicked with.
func (e *PanicError) Error() string {
	return fmt.Sprintf("secure: a callback of TLS panicked: %v", e.Value)
}

// Unwrap returns the error that was panicked with, if it was one.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// logPanic logs a handshake that failed if it was a panic.
func logPanic(client net.Addr, err error) {
	if p, ok := errors.AsType[*PanicError](err); ok {
		slog.LogAttrs(context.Background(), slog.LevelError, "TLS handshake panicked",
			slog.Any("client", client), slog.Any("error", err), slog.String("stack", string(p.Stack)))
	}
}
