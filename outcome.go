package roost

import (
	"context"
	"errors"
)

// outcome is what came of a callback.
type outcome struct {
	response response
	err      error
	wish     wish // that err asks for
}

// failure is the error, unless it only asks for the end.
func (o outcome) failure() error {
	if o.wish.stop {
		return nil
	}
	return o.err
}

// wish is what a callback's error asks for instead of reporting a failure.
type wish struct {
	stop      bool // end as wished
	unhandled bool // HandleInfo does not know the value
	refused   bool // Connect refuses without a reason
	cancelled bool // nothing: the callback's context was done, or its channel was over
}

// asked says what a callback's error asks for. An error that came of a panic
// asks for nothing. The Is, As and Unwrap methods it calls may be the
// application's own, and run where nothing else catches their panics: one that
// panics asks for nothing, too.
func asked(err error) (w wish) {
	if err == nil {
		return wish{}
	}
	defer func() {
		if recover() != nil {
			w = wish{}
		}
	}()
	if _, panicked := errors.AsType[*PanicError](err); panicked {
		return wish{}
	}
	return wish{
		stop: errors.Is(err, Stop), unhandled: errors.Is(err, ErrUnhandled),
		refused: errors.Is(err, ErrRefused), cancelled: errors.Is(err, context.Canceled) || errors.Is(err, ErrNotJoined),
	}
}

// told is what Terminate is told of an error: of a kill, the reason that the
// killer gave.
func told(err error) error {
	if k, ok := err.(killedError); ok { //nolint:errorlint // only Kill's own, unwrapped
		return k.reason
	}
	return err
}

// stackOf returns the stack of the panic that an error came of, if it did.
func stackOf(err error) (stack []byte) {
	defer func() { _ = recover() }() // an application's As may panic
	if p, ok := errors.AsType[*PanicError](err); ok {
		return p.Stack
	}
	return nil
}
