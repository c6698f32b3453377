package roost

import (
	"runtime/debug"

	"github.com/roostgo/roost/wire"
)

// Serializers may be the application's own. One that panics has failed: on a
// lane nobody else would catch it.

func decode(s wire.Serializer, m *wire.Message, binary bool, data []byte) (err error) {
	defer caught(&err)
	return s.Decode(m, binary, data)
}

func encode(s wire.Serializer, room []byte, m *wire.Message) (buf []byte, binary bool, err error) {
	defer caught(&err)
	return s.Encode(room, m)
}

// caught, deferred, makes an error of a panic.
func caught(err *error) {
	if v := recover(); v != nil {
		*err = &PanicError{Value: v, Stack: debug.Stack()}
	}
}
