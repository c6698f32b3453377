//go:build linux

package bench

import (
	"encoding/binary"
	"errors"
)

// Opcodes of RFC 6455 §5.2 that the tool meets.
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xA
)

var errFrame = errors.New("bench: not a frame that a server may send")

// appendFrame appends one masked frame, as clients send it (RFC 6455 §5.3).
func appendFrame(dst []byte, opcode byte, mask uint32, payload []byte) []byte {
	dst = append(dst, 0x80|opcode)
	switch n := len(payload); {
	case n < 126:
		dst = append(dst, 0x80|byte(n))
	case n <= 0xFFFF:
		dst = append(dst, 0x80|126)
		dst = binary.BigEndian.AppendUint16(dst, uint16(n))
	default:
		dst = append(dst, 0x80|127)
		dst = binary.BigEndian.AppendUint64(dst, uint64(n))
	}
	dst = binary.LittleEndian.AppendUint32(dst, mask)
	start := len(dst)
	dst = append(dst, payload...)
	maskBytes(dst[start:], mask)
	return dst
}

// maskBytes is the exclusive or of b and the repeated key, eight at a time.
func maskBytes(b []byte, mask uint32) {
	key := uint64(mask)<<32 | uint64(mask)
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^key)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= byte(key >> (8 * i))
	}
}

// serverFrame is one whole, unfragmented frame as servers send it.
type serverFrame struct {
	opcode  byte
	payload []byte
	// size is the whole frame's, with its header.
	size int
}

// parseFrame reads the frame that b begins with. A size of 0 says that it is
// not complete. The payload aliases b. errFrame is for what a server may not
// send, or this tool did not ask for: masks, extensions, fragments.
func parseFrame(b []byte) (serverFrame, error) {
	if len(b) < 2 {
		return serverFrame{}, nil
	}
	// FIN alone: no fragments, no extension was offered (RFC 6455 §5.2).
	if b[0]&0xF0 != 0x80 || b[1]&0x80 != 0 || b[0]&0xF == opContinuation {
		return serverFrame{}, errFrame
	}
	head, n, err := payloadLength(b)
	if err != nil || head == 0 || uint64(len(b)-head) < n {
		return serverFrame{}, err
	}
	end := head + int(n)
	return serverFrame{opcode: b[0] & 0xF, payload: b[head:end], size: end}, nil
}

// payloadLength is where the payload begins and how long it is; a beginning of
// 0 says that the header is not complete.
func payloadLength(b []byte) (head int, n uint64, err error) {
	switch n := b[1]; {
	case n < 126:
		return 2, uint64(n), nil
	case n == 126 && len(b) >= 4:
		return 4, uint64(binary.BigEndian.Uint16(b[2:])), nil
	case n == 127 && len(b) >= 10:
		n := binary.BigEndian.Uint64(b[2:])
		if n>>63 != 0 {
			return 0, 0, errFrame
		}
		return 10, n, nil
	}
	return 0, 0, nil
}
