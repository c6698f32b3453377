package transport

import "errors"

// CloseCode is a WebSocket close code (RFC 6455 §7.4).
type CloseCode uint16

// The close codes that Roost sends [§5.7].
const (
	CloseNormal        CloseCode = 1000 // phoenix.js does not come back after it
	CloseGoingAway     CloseCode = 1001 // disconnected by socket id
	CloseProtocol      CloseCode = 1002 // the peer broke RFC 6455, or was silent for too long
	CloseInvalidData   CloseCode = 1007 // text that is not UTF-8
	ClosePolicy        CloseCode = 1008 // a bound on fragments was hit
	CloseTooBig        CloseCode = 1009 // a frame or message over its bound
	CloseInternalError CloseCode = 1011 // an undecodable message, or a crash of the session
	CloseRestart       CloseCode = 1012 // the server is going away; come back
	CloseTryLater      CloseCode = 1013 // all clients together sent too much that is incomplete; come back
)

// Why a connection ended, as Session.Closed is told.
var (
	ErrClientClosed = errors.New("transport: closed by the client")
	ErrClientGone   = errors.New("transport: connection lost")
	ErrServerClosed = errors.New("transport: closed by the server")
	ErrIdle         = errors.New("transport: nothing received for too long")
	ErrSlowConsumer = errors.New("transport: client reads too slowly")
	ErrBadFrame     = errors.New("transport: protocol violation")
	ErrShutdown     = errors.New("transport: server shutting down")
)
