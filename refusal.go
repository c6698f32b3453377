package roost

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/roostgo/roost/transport/websocket"
)

// refusal is one way in which the server itself tells a client no. The table of
// them is the code's and the documentation's at once: docs/reference/errors.md
// is made of it.
type refusal struct {
	reason string // what the client reads, stable
	of     string // what is refused
	status int    // of the HTTP answer to a connect; 0: it is an answer to a message
	paced  bool   // it says when to come back, and has a code
	reset  bool   // the connection is cut before anything of it is read: nobody reads the reason
	what   string // that happened
	mend   string // for the operator or the developer
}

// What the server itself says to clients [§7].
var (
	refusedTopic = &refusal{
		reason: "unmatched topic", of: "a join, or a message for a topic that is not joined",
		what: "No channel is routed to the topic, or the client has not joined it (any more).",
		mend: "Route the topic with Endpoint.Channel; in the client, push only to channels that are joined. A message that crossed with the end of its channel is answered so, too.",
	}
	refusedChannels = &refusal{
		reason: "too many channels joined", of: "a join",
		what: "The connection has joined as many topics as Config.MaxChannels allows.",
		mend: "Leave topics that are not needed, or raise Config.MaxChannels.",
	}
	refusedName = &refusal{
		reason: "name too long", of: "a join or a message",
		what: "The topic, the event or a ref of the message is longer than Config.MaxName.",
		mend: "Put what is long into the payload; or raise Config.MaxName. Binary frames have room for 255 bytes in each.",
	}
	refusedCrash = &refusal{
		reason: "join crashed", of: "a join",
		what: "The channel's Join failed or panicked, its reply has no encoding, or it pushed before it was joined.",
		mend: "The log has the error and the stack (channel_crashed). To refuse a client on purpose return roost.Refuse.",
	}
	refusedPayload = &refusal{
		reason: "invalid payload", of: "a join or a message",
		what: "The payload is not what the channel's binding expects.",
		mend: "Compare what the client sends with the type of the bound method; verbose telemetry says what did not fit (payload_invalid).",
	}
	refusedMailbox = &refusal{
		reason: "mailbox full", of: "a message",
		what: "The channel does not keep up with its messages: Config.Mailbox of them wait.",
		mend: "Make the handler faster, send less, or raise Config.Mailbox.",
	}
	refusedMailboxBytes = &refusal{
		reason: "too many bytes waiting", of: "a message",
		what: "The connection's channels do not keep up with its messages: with this one more than Config.MailboxBytes would wait.",
		mend: "Wait for a reply before sending more, send smaller messages, make the handlers faster, or raise Config.MailboxBytes.",
	}
	refusedConnections = &refusal{
		reason: "too many connections", of: "a connect", status: http.StatusServiceUnavailable, paced: true,
		what: "There are as many connections as Limits.MaxConnections allows.",
		mend: "Add a node, or raise the limit if the machine has room.",
	}
	refusedAddress = &refusal{
		reason: "too many connections from this address", of: "a connect", status: http.StatusTooManyRequests, paced: true,
		what: "The address has as many connections as Limits.MaxPerAddress allows.",
		mend: "Close some, or raise the limit: behind one address there may be a whole office. Behind a proxy that is not trusted all clients have its address.",
	}
	refusedID = &refusal{
		reason: "too many connections with this id", of: "a connect", status: http.StatusTooManyRequests, paced: true,
		what: "As many connections as Limits.MaxPerID allows have the socket id that Connect gave.",
		mend: "Close some, or raise the limit: one user may have several devices and tabs.",
	}
	refusedConnects = &refusal{
		reason: "too many connects", of: "a connect", status: http.StatusTooManyRequests, paced: true,
		what: "The address connects more often than Limits.Connects allows.",
		mend: "Wait. If it is a good client that comes back too eagerly, look at its backoff.",
	}
	refusedJoins = &refusal{
		reason: "too many joins", of: "a join", paced: true,
		what: "The connection or its address joins more often than Limits.SocketJoins or Limits.Joins allows.",
		mend: "Join fewer topics, or later; or raise the limits.",
	}
	refusedMessages = &refusal{
		reason: "too many messages", of: "a message", paced: true,
		what: "The connection sends more messages than Limits.Messages allows.",
		mend: "Send less often, or put more into one message; or raise the limit.",
	}
	refusedBytes = &refusal{
		reason: "too many bytes", of: "a message", paced: true,
		what: "The connection sends more bytes than Limits.Bytes allows.",
		mend: "Send less; or raise the limit. A message that is larger than its burst never passes.",
	}
	refusedRouteJoins = &refusal{
		reason: "too many joins of such topics", of: "a join", paced: true,
		what: "Topics of this pattern are joined more often, by all clients together, than RouteLimits.Joins of their route allows.",
		mend: "Wait: phoenix.js joins again by itself. If good clients are refused, raise the limit; if one client joins all the time, give each its share with Limits.SocketJoins. The log has the pattern (limit_hit).",
	}
	refusedRouteMessages = &refusal{
		reason: "too many messages to such topics", of: "a message", paced: true,
		what: "The connection sends more messages to topics of this pattern, all of them together, than RouteLimits.Messages of their route allows.",
		mend: "Send less often, or put more into one message; or raise the limit.",
	}
	refusedRouteBytes = &refusal{
		reason: "too many bytes to such topics", of: "a message", paced: true,
		what: "The connection sends more bytes to topics of this pattern, all of them together, than RouteLimits.Bytes of their route allows.",
		mend: "Send less; or raise the limit. A message that is larger than its burst never passes.",
	}
	refusedEvents = &refusal{
		reason: "too many such events", of: "a message", paced: true,
		what: "The connection sends this event, or others of its pattern, more often to topics of this pattern than the EventLimit of their route allows.",
		mend: "Send it less often: what follows quickly, such as typing or moving, can be held back in the client and sent once. Or raise the limit.",
	}
	refusedEventBytes = &refusal{
		reason: "too many bytes of such events", of: "a message", paced: true,
		what: "The connection sends more bytes with this event, or others of its pattern, to topics of this pattern than the EventLimit of their route allows.",
		mend: "Send less; or raise the limit. A message that is larger than its burst never passes.",
	}
	refusedOverload = &refusal{
		reason: "overloaded", of: "a connect or a join", status: http.StatusServiceUnavailable, paced: true,
		what: "The server has enough to do: work waits too long, or memory or descriptors run short. Clients that are connected and joined are served first.",
		mend: "Clients come back by themselves. If it happens often, add a node, raise the limit that the log names (overload_began), or raise Config.Overload.",
	}
)

// What a connect is told that nobody refuses, but that cannot be.
var (
	refusedStopping = &refusal{
		reason: "server is stopping", of: "a connect", status: http.StatusServiceUnavailable, paced: true,
		what: "The server drains: it closes its connections, and takes no new ones.",
		mend: "Clients come back by themselves, to another server or to this one when it has started again. See docs/how-to/rolling-restart.md.",
	}
	refusedStart = &refusal{
		reason: "server cannot take connections", of: "a connect", status: http.StatusServiceUnavailable, paced: true,
		what: "The system refuses what the server needs to carry connections, such as descriptors for its event loops.",
		mend: "The log has the error (connect_refused, start). Raise the limit that it names; the server tries again with the next connect.",
	}
	refusedBus = &refusal{
		reason: "bus cannot be reached", of: "a connect", status: http.StatusServiceUnavailable, paced: true,
		what: "The socket id that Connect gave could not be subscribed at the adapter of the bus, so that Disconnect would not reach the connection.",
		mend: "Clients come back by themselves. The log has the adapter's error (socket_connected): see whether what it talks to is there.",
	}
)

// unavailable answers a connect when there can be none: websocket.Config.Unavailable.
func unavailable(w http.ResponseWriter, err error) {
	r := refusedStart
	if errors.Is(err, websocket.ErrStopped) {
		r = refusedStopping
	}
	r.answer(w, spread(stoppedFor))
}

// stoppedFor is when there may be a server again.
const stoppedFor = time.Second

// What the door says, which is nothing: the log and the counters have the reason.
var (
	resetPlaces = &refusal{
		reason: "too many connections in the handshake", of: "a connection", reset: true,
		what: "As many connections as Server.MaxHandshakes allows are on their way to an upgrade, or in a plain HTTP request.",
		mend: "Clients come back by themselves. If they are good ones, raise the limit; if many say nothing, see who they are (Server.MaxHandshakesPerAddress) and lower Server.ReadHeaderTimeout.",
	}
	resetAddress = &refusal{
		reason: "too many connections in the handshake from this address", of: "a connection", reset: true,
		what: "The address has as many connections on their way to an upgrade, or in a plain HTTP request, as Server.MaxHandshakesPerAddress allows.",
		mend: "Open fewer at once, or raise the limit. A proxy in front of the server stands for many: list it in Config.Proxies or Server.ProxyProtocol.",
	}
	resetRate = &refusal{
		reason: "too many new connections from this address", of: "a connection", reset: true,
		what: "The address opens connections more often than Server.AddressRate allows.",
		mend: "Wait. A proxy in front of the server stands for many: list it in Config.Proxies or Server.ProxyProtocol.",
	}
)

// refusals are all of them, in the order of the reference.
var refusals = []*refusal{
	refusedTopic, refusedChannels, refusedName, refusedCrash, refusedPayload, refusedMailbox, refusedMailboxBytes, refusedOverload,
	refusedStopping, refusedStart, refusedBus, refusedConnections, refusedAddress, refusedID, refusedConnects, refusedJoins, refusedMessages, refusedBytes,
	refusedRouteJoins, refusedRouteMessages, refusedRouteBytes, refusedEvents, refusedEventBytes,
	resetPlaces, resetAddress, resetRate,
}

// notice is what a refused client reads, in an error reply or an HTTP body.
type notice struct {
	Reason       string `json:"reason"`
	Code         string `json:"code"`
	RetryAfterMS int64  `json:"retry_after_ms,omitempty"`
}

// notice tells a client when to come back; not at all is 0. A part of a
// millisecond is a whole one.
func (r *refusal) notice(after time.Duration) notice {
	return notice{Reason: r.reason, Code: r.reason, RetryAfterMS: int64((after + time.Millisecond - 1) / time.Millisecond)}
}

// payload is what an error reply carries: the reason alone, as Phoenix has it.
func (r *refusal) payload() Payload { return because(r.reason) }

// payloadAfter is that with when to come back.
func (r *refusal) payloadAfter(d time.Duration) Payload { return payloadOf(r.notice(d)) }

// answer is the notice as the answer to an HTTP request. Whole seconds are all
// that Retry-After can say (RFC 9110 §10.2.3).
func (r *refusal) answer(w http.ResponseWriter, after time.Duration) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	if after > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64((after+time.Second-1)/time.Second), 10))
	}
	w.WriteHeader(r.status)
	_ = json.NewEncoder(w).Encode(r.notice(after)) // the client may have gone
}

// handler answers with it.
func (r *refusal) handler(after time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { r.answer(w, after) })
}

// later is d, which is exact, up to a half more: nobody who waits that long is
// refused again for coming too early, and those who are told at once do not come
// back at once.
func later(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return d + rand.N(d/2+1) //nolint:gosec // nobody gains by guessing it
}

// spread is about d, which is a guess: from a half of it to one and a half.
func spread(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return d/2 + rand.N(d) //nolint:gosec // nobody gains by guessing it
}
