//go:build linux

package bench

import "encoding/json"

// order is one line that the coordinator writes to a worker's standard input.
// Each is answered once, some much later; meanwhile others may be given.
type order struct {
	ID   int             `json:"id"`
	Do   string          `json:"do"`
	With json.RawMessage `json:"with,omitempty"`
}

// answer is one line on a worker's standard output. ID 0 is no answer but a
// progress report.
type answer struct {
	ID   int             `json:"id"`
	Err  string          `json:"err,omitempty"`
	With json.RawMessage `json:"with,omitempty"`
}

// setupOrder comes first and says what all connections have in common.
type setupOrder struct {
	Addr   string `json:"addr"`
	Path   string `json:"path"`
	Prefix string `json:"prefix"`
	// Conns is how many connections this worker holds, the first of them on
	// topic FirstTopic, the next on the next, modulo Topics.
	Conns      int `json:"conns"`
	FirstTopic int `json:"first_topic"`
	Topics     int `json:"topics"`
	// Source is the last two bytes of the first of Sources local addresses in
	// 127.0/16; with Sources 0 the kernel chooses.
	Source  int `json:"source"`
	Sources int `json:"sources"`
	// Raw is the size of the messages of a peer that speaks no protocol, which
	// is what the floor does; 0 is WebSocket.
	Raw int `json:"raw"`
	// Size is the largest payload that will arrive.
	Size int `json:"size"`
	// Coalesce is in ns: read only so often; 0 reads at once.
	Coalesce int64 `json:"coalesce"`
	Realtime bool  `json:"realtime"`
	// TLS has them connect with TLS 1.3, whoever the server says it is.
	TLS bool `json:"tls"`
	// Timeout is in ns, for one connection to be joined.
	Timeout int64 `json:"timeout"`
}

type setupAnswer struct {
	// Realtime says whether the kernel granted the priority.
	Realtime bool `json:"realtime"`
}

// connectOrder has all connections made and joined.
type connectOrder struct {
	// At is when the first is due, Rate how many are in a second; 0 has all due
	// at once.
	At   int64   `json:"at"`
	Rate float64 `json:"rate"`
	// Inflight bounds those between connect and joined; 0 is no bound.
	Inflight int `json:"inflight"`
	// Retries is how often one that failed tries again.
	Retries int `json:"retries"`
}

type connectAnswer struct {
	Joined int `json:"joined"`
	// First and Last are when the first and the last of them were joined.
	First int64 `json:"first"`
	Last  int64 `json:"last"`
	// Failures are by cause, those that a retry mended included.
	Failures map[string]int `json:"failures"`
	// Each counts from the connection's own connect(2).
	ToTCP      *histogram `json:"to_tcp"`
	ToUpgraded *histogram `json:"to_upgraded"`
	ToJoined   *histogram `json:"to_joined"`
	// SinceDue counts from when the schedule wanted the connection made.
	SinceDue *histogram `json:"since_due"`
}

// heartbeatOrder has each connection send a heartbeat every Every ns, the
// first of them at At, evenly staggered.
type heartbeatOrder struct {
	At    int64 `json:"at"`
	Every int64 `json:"every"`
}

// pingOrder has requests made until At+For or a stop. Rate 0 is the closed
// loop: each connection asks again once it is answered.
type pingOrder struct {
	At   int64   `json:"at"`
	For  int64   `json:"for"`
	Rate float64 `json:"rate"`
	Size int     `json:"size"`
	// Drain is in ns: how long to wait for the last answers.
	Drain int64 `json:"drain"`
}

// phaseOrder begins a new phase of requests that are meant to leave from At on.
type phaseOrder struct {
	At int64 `json:"at"`
}

type pingAnswer struct {
	Sent    int `json:"sent"`
	Replies int `json:"replies"`
	Errors  int `json:"errors"`
	// Phases are the latencies, from the intended time, in each phase.
	Phases []*histogram `json:"phases"`
	// Lag is how late the tool itself was with its sends.
	Lag *histogram `json:"lag"`
}

// measureOrder forgets what was counted so far. Window is how many
// publications of a topic may be in flight; 0 if their arrival need not be
// acknowledged.
type measureOrder struct {
	Window int `json:"window"`
}

// publishOrder has publications made until At+For, by the first connection of
// each topic. Rate 0 keeps Window of each topic in flight.
type publishOrder struct {
	At     int64   `json:"at"`
	For    int64   `json:"for"`
	Rate   float64 `json:"rate"`
	Window int     `json:"window"`
	Size   int     `json:"size"`
	// Parties is how many workers have subscribers of each topic.
	Parties []int `json:"parties"`
	// Drain is in ns: how long to wait without progress for what is in flight.
	Drain int64 `json:"drain"`
}

type publishAnswer struct {
	// Published are the publications of each topic.
	Published []int      `json:"published"`
	Stalled   bool       `json:"stalled"`
	Lag       *histogram `json:"lag"`
}

// countOrder asks for what has arrived, with the latencies if Full.
type countOrder struct {
	Full bool `json:"full"`
}

// countAnswer is what has arrived since the last measureOrder.
type countAnswer struct {
	Delivered  int        `json:"delivered"`
	Lost       int        `json:"lost"`
	Repeated   int        `json:"repeated"`
	Heartbeats int        `json:"heartbeats"`
	Answered   int        `json:"answered"`
	Delivery   *histogram `json:"delivery"`
	// Drops are connections that ended after they were joined, by cause.
	Drops   map[string]int `json:"drops"`
	Thinned int            `json:"thinned"`
	Joined  int            `json:"joined"`
}

// dropOrder ends all connections, with a reset if RST.
type dropOrder struct {
	RST bool `json:"rst"`
}

// progress is what a worker tells unasked.
type progress struct {
	Opened    int `json:"opened"`
	Joined    int `json:"joined"`
	Failed    int `json:"failed"`
	Dropped   int `json:"dropped"`
	Delivered int `json:"delivered"`
	Replies   int `json:"replies"`
}
