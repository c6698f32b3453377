//go:build linux

package bench

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"strconv"
)

// Refs that the tool's messages carry. Pings are numbered.
const (
	joinRef      = "1"
	heartbeatRef = "h"
	publishRef   = "p"
)

// Events of the server's channel: one it answers, one it broadcasts to all.
const (
	requestEvent   = "ping"
	broadcastEvent = "shout"
)

// message is one V2 message [§6.1], its elements as raw JSON that aliases the
// frame.
type message struct {
	joinRef, ref, topic, event, payload []byte
}

// parseMessage takes [join_ref, ref, topic, event, payload] apart, no further
// than at the commas. It does not validate what it passes over.
func parseMessage(b []byte) (message, bool) {
	if len(b) < 2 || b[0] != '[' || b[len(b)-1] != ']' {
		return message{}, false
	}
	var m message
	rest := b[1 : len(b)-1]
	for _, elem := range []*[]byte{&m.joinRef, &m.ref, &m.topic, &m.event} {
		end := elementEnd(rest)
		if end >= len(rest) {
			return message{}, false
		}
		*elem, rest = rest[:end], rest[end+1:]
	}
	m.payload = rest
	return m, true
}

// elementEnd is the offset of the comma after a string, a number or null.
func elementEnd(b []byte) int {
	i := 0
	if len(b) > 0 && b[0] == '"' {
		for i = 1; i < len(b) && b[i] != '"'; i++ {
			if b[i] == '\\' {
				i++
			}
		}
	}
	for i < len(b) && b[i] != ',' {
		i++
	}
	return i
}

// is says whether elem is the JSON string s, which needs no escapes.
func is(elem []byte, s string) bool {
	return len(elem) == len(s)+2 && elem[0] == '"' && string(elem[1:len(elem)-1]) == s
}

// replyOK says whether m is a reply with status ok.
func (m message) replyOK() bool {
	return bytes.Contains(m.payload, []byte(`"status":"ok"`))
}

// number is the ref of a ping.
func (m message) number() (uint64, bool) {
	const most = 19 + 2 // digits that fit, and the quotes
	if len(m.ref) < 3 || len(m.ref) > most || m.ref[0] != '"' {
		return 0, false
	}
	var n uint64
	for _, c := range m.ref[1 : len(m.ref)-1] {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	return n, true
}

// appendMessage appends a message of the client for the topic with this number.
func appendMessage(dst []byte, ref string, prefix string, topic uint32, event string, payload []byte) []byte {
	dst = append(dst, `["`+joinRef+`","`...)
	dst = append(dst, ref...)
	return appendTail(dst, prefix, topic, event, payload)
}

// appendPing is appendMessage with a number for ref, without an allocation.
func appendPing(dst []byte, ref uint64, prefix string, topic uint32, event string, payload []byte) []byte {
	dst = append(dst, `["`+joinRef+`","`...)
	dst = strconv.AppendUint(dst, ref, 10)
	return appendTail(dst, prefix, topic, event, payload)
}

func appendTail(dst []byte, prefix string, topic uint32, event string, payload []byte) []byte {
	dst = append(dst, `","`...)
	dst = append(dst, prefix...)
	dst = strconv.AppendUint(dst, uint64(topic), 10)
	dst = append(dst, `","`...)
	dst = append(dst, event...)
	dst = append(dst, `",`...)
	dst = append(dst, payload...)
	return append(dst, ']')
}

// heartbeat is row 1 of [§7.3].
const heartbeat = `[null,"` + heartbeatRef + `","phoenix","heartbeat",{}]`

// A stamp says in a publication's payload when it was meant to leave and which
// one of its topic it is. It survives a server that decodes and encodes JSON.
type stamp struct {
	at  int64 // CLOCK_MONOTONIC
	seq uint32
}

const (
	stampMark = '~'
	stampSize = 1 + 2*(8+4)
	// minPayload is {"s":"STAMP"}.
	minPayload = stampSize + len(`{"s":""}`)
)

// appendStamped appends a JSON object of size bytes that carries s.
func appendStamped(dst []byte, s stamp, size int) []byte {
	var raw [12]byte
	binary.BigEndian.PutUint64(raw[:], uint64(s.at))
	binary.BigEndian.PutUint32(raw[8:], s.seq)
	end := len(dst) + size - len(`"}`)
	dst = append(dst, `{"s":"`...)
	dst = append(dst, stampMark)
	dst = hex.AppendEncode(dst, raw[:])
	for len(dst) < end {
		dst = append(dst, '.')
	}
	return append(dst, `"}`...)
}

// parseStamp finds the stamp in a payload.
func parseStamp(payload []byte) (stamp, bool) {
	i := bytes.IndexByte(payload, stampMark)
	if i < 0 || len(payload) < i+stampSize {
		return stamp{}, false
	}
	var raw [12]byte
	if _, err := hex.Decode(raw[:], payload[i+1:i+stampSize]); err != nil {
		return stamp{}, false
	}
	return stamp{
		at:  int64(binary.BigEndian.Uint64(raw[:])),
		seq: binary.BigEndian.Uint32(raw[8:]),
	}, true
}

// padded is a JSON object of size bytes, or {} if that is too few.
func padded(size int) []byte {
	if size < len(`{"s":""}`) {
		return []byte(`{}`)
	}
	b := append([]byte(`{"s":"`), bytes.Repeat([]byte{'.'}, size-len(`{"s":""}`))...)
	return append(b, `"}`...)
}
