// Package transport is the contract between a connection and the session that
// it drives, and what every transport does before there is a connection:
// origin, parameters, subprotocols, paths.
//
// A transport (transport/websocket) owns bytes, frames and time-outs. A session
// (package roost makes one of channels) owns meaning. They meet on a lane: one
// goroutine that runs everything of many connections in order, so that neither
// side needs a lock for its own state.
package transport

import (
	"context"
	"net/http"

	"github.com/roostgo/roost/internal/lane"
)

// Lane runs tasks one at a time in the order in which they were posted.
type Lane = lane.Lane

// Conn is one client's connection, as its session sees it.
//
// Send is safe from any goroutine that is not a lane; everything else belongs
// to the connection's lane.
type Conn interface {
	// Lane is where the session's methods run.
	Lane() *Lane

	// Send queues f behind everything posted to the lane before it, and waits
	// while the lane is over its bound. It does nothing once the connection
	// has ended.
	Send(f *Frame)

	// Enqueue queues f to leave at the end of the lane's turn, together with
	// what else is queued for this connection.
	Enqueue(f *Frame, class Class)

	// Offer queues f as Bulk, and lets t drop it, or what waits before it, when
	// the client reads too slowly. A nil t drops nothing: then the client is
	// cut when too much waits.
	Offer(f *Frame, t *Thinning)

	// Write sends buf (made by Room) without keeping it: at once if nothing is
	// queued before it.
	Write(buf []byte, binary bool)

	// Close starts the end of the connection with a close code. Frames queued
	// before it are sent first. The session's Closed runs before Close returns.
	Close(code CloseCode)

	// Resume lets the connection go on after Receive answered Hold.
	Resume()
}

// Class says how a frame is ordered among those of other connections. Within a
// connection frames always leave in the order in which they were queued.
type Class uint8

// The classes of frames.
const (
	Direct Class = iota // meant for this client: leaves first
	Bulk                // one of very many copies: leaves when no Direct frame waits
)

// Session is what a transport drives. Its methods run on the connection's
// lane, one at a time, and must not block.
type Session interface {
	// Open is called first, once.
	Open(Conn)

	// Receive takes one message. data is valid, and may be written to, during
	// the call only.
	Receive(data []byte, binary bool) Verdict

	// Closed is called last, once: reason says why the connection ended.
	Closed(reason error)
}

// Abandoned is a Session that wants to know, while it holds its connection,
// that nobody waits for it.
type Abandoned interface {
	// Abandon is called once at most, on the lane: the client has closed its side.
	// Messages that it sent before are received after Resume, and only then the
	// session is closed.
	Abandon()
}

// Released is a Session that wants to know when nothing of its connection is
// left: one that was told goodbye still has its descriptor until the client has
// answered, or for CloseTimeout.
type Released interface {
	// Release is called once, after Closed, on the lane if there was one.
	Release()
}

// Verdict is a session's answer to a message.
type Verdict uint8

// What Receive answers.
const (
	Continue Verdict = iota
	Hold             // deliver nothing more until Resume
)

// Handshake is one client's wish to connect.
type Handshake struct {
	// Request is valid until Connect returns. Its context carries what HTTP
	// middleware put there.
	Request *http.Request

	// Params are the query parameters and the path variables, which win.
	Params Params

	// Transport names the transport: "websocket".
	Transport string

	// AuthToken is the token offered beside the subprotocol [§4.6]; HasToken
	// tells an empty one from none.
	AuthToken string
	HasToken  bool
}

// Connector turns a handshake into a session, or refuses it. It runs on the
// request's goroutine and may block. A non-nil refusal answers the request.
type Connector interface {
	Connect(ctx context.Context, h *Handshake) (Session, http.Handler)
}
