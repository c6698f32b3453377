package transport

// Thinning says how the broadcasts that wait for a client become fewer when it
// reads more slowly than they come. Connections share one by reference, and it
// is what tells the broadcasts of one route from those of another.
//
// What was sent for this client alone (a reply, a push, a control frame) is
// never thinned, and neither is a frame of which a byte has left. What is kept
// leaves in the order in which it was queued: a reply does not overtake the
// broadcasts before it, they make way for it.
type Thinning struct {
	// Latest lets a newer broadcast replace an older one of the same topic and
	// event that still waits.
	Latest bool

	// Bytes and Frames are how much may wait for a client in all, counted as
	// websocket.Config.Outbox is, before the oldest broadcasts of this
	// thinning are dropped. The newest stays.
	Bytes, Frames int
}

// Defaults of Thinning, and of those who let users set its bounds.
const (
	ThinningBytes  = 256 << 10
	ThinningFrames = 1024
)

// Policy names what the thinning does: "drop_oldest" or "keep_latest".
func (t *Thinning) Policy() string {
	if t.Latest {
		return "keep_latest"
	}
	return "drop_oldest"
}

// subject is what a broadcast tells of.
type subject struct{ topic, event string }

// About says which topic and event f is a broadcast of. It must be called
// before f is shared, and returns f.
func (f *Frame) About(topic, event string) *Frame {
	f.subject = subject{topic, event}
	return f
}

// Topic is the topic that f is a broadcast of; "" of other frames.
func (f *Frame) Topic() string { return f.subject.topic }

// Supersedes reports whether f tells of the same topic and event as old. A
// frame that tells of none supersedes nothing.
func (f *Frame) Supersedes(old *Frame) bool {
	return f.subject == old.subject && f.subject != subject{}
}
