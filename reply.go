package roost

import (
	"fmt"

	"github.com/roostgo/roost/wire"
)

// Reply is what a client reads in answer to one message: a status and a
// payload. The zero value is no reply, or from Join the reply ok with {}.
type Reply struct {
	status string
	value  any
}

// NoReply sends nothing.
func NoReply() Reply { return Reply{} }

// ReplyOK replies with status "ok" and a value that is encoded as JSON; Bytes
// are sent as a binary frame, a Payload as it is, nil as {}.
func ReplyOK(value any) Reply { return Reply{status: statusOK, value: value} }

// ReplyError replies with status "error" and a value. From Join it refuses the
// client.
func ReplyError(value any) Reply { return Reply{status: statusError, value: value} }

// ReplyStatus replies with a status of the application's own. From Join any
// status but "ok" refuses the client.
func ReplyStatus(status string, value any) Reply { return Reply{status: status, value: value} }

// Refuse is ReplyError with {"reason": reason}.
func Refuse(reason string) Reply { return ReplyError(because(reason)) }

// accepts reports whether the reply, from Join, lets the client in.
func (r Reply) accepts() bool { return r.status == "" || r.status == statusOK }

// response is a Reply whose value has become a payload.
type response struct {
	status  string // "" is no reply
	payload Payload
}

// response encodes the value: with its own methods, if it has any.
func (r Reply) response() (response, error) {
	if r.status == "" {
		return response{}, nil
	}
	p, err := wire.Marshal(r.value)
	if err != nil {
		return response{}, fmt.Errorf("roost: encode a reply: %w", err)
	}
	return response{r.status, p}, nil
}

const (
	statusOK    = "ok"
	statusError = "error"
)

// The events and the topic that the protocol reserves [§7.2].
const (
	eventJoin       = "phx_join"
	eventLeave      = "phx_leave"
	eventClose      = "phx_close"
	eventError      = "phx_error"
	eventHeartbeat  = "heartbeat"
	eventDisconnect = "disconnect"
	topicPhoenix    = "phoenix"
)

// What the socket itself says to clients [§7].
var (
	empty            = wire.Payload{}
	unmatchedTopic   = refusedTopic.payload()
	tooManyChannels  = refusedChannels.payload()
	joinCrashed      = refusedCrash.payload()
	invalidPayload   = refusedPayload.payload()
	mailboxFull      = refusedMailbox.payload()
	nameTooLong      = refusedName.payload()
	mailboxBytesFull = refusedMailboxBytes.payload()
	channelCrash     = because("channel_crash") // clause 182
)

func because(reason string) Payload {
	return payloadOf(struct {
		Reason string `json:"reason"`
	}{reason})
}

// payloadOf is a struct of strings and numbers as a payload.
func payloadOf(v any) Payload {
	p, err := wire.Marshal(v)
	if err != nil { // such a struct always has a JSON text
		panic(err)
	}
	return p
}
