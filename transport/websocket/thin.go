package websocket

import (
	"context"

	"github.com/roostgo/roost/telemetry"
	"github.com/roostgo/roost/transport"
)

// loss is what was dropped at once.
type loss struct {
	oldest   int // because too much waited
	outdated int // because a newer one came

	// Set when it is the first of an episode, which lasts until all that waits
	// has left.
	topic  string
	policy string
	queued int // bytes
}

func (l loss) plus(more loss) loss {
	more.oldest += l.oldest
	more.outdated += l.outdated
	if l.begins() { // an episode begins once
		more.topic, more.policy, more.queued = l.topic, l.policy, l.queued
	}
	return more
}

func (l loss) begins() bool { return l.policy != "" }

// thin makes room for the last frame, which was just offered to a client that
// is behind, as that frame's thinning says. size tells how long a frame is.
func (o *outbox) thin(size func(*transport.Frame) int) (l loss) {
	last := o.frames[len(o.frames)-1]
	t := last.thinning
	if t.Latest {
		for i := o.loose(); i < len(o.frames)-1; i++ {
			if q := o.frames[i]; q.thinning == t && last.frame.Supersedes(q.frame) {
				o.drop(i, size, &l)
				l.outdated++
			}
		}
	}
	for i := o.loose(); i < len(o.frames)-1 && (o.weight() > t.Bytes || o.len() > t.Frames); i++ {
		if o.frames[i].thinning == t {
			o.drop(i, size, &l)
			l.oldest++
		}
	}
	o.compact()
	return l
}

// relieve drops the oldest frames that may be dropped, whatever they tell of,
// until what waits is within bound: a reply must not be the end of a client
// for which broadcasts wait.
func (o *outbox) relieve(bound int, size func(*transport.Frame) int) (l loss) {
	if o.spare == 0 {
		return l
	}
	for i := o.loose(); i < len(o.frames) && o.weight() > bound; i++ {
		if o.frames[i].thinning != nil {
			o.drop(i, size, &l)
			l.oldest++
		}
	}
	o.compact()
	return l
}

// loose is the first frame of which no byte has left or is about to leave.
func (o *outbox) loose() int {
	if o.offset > 0 {
		return o.head + max(o.firm, 1)
	}
	return o.head + o.firm
}

// drop takes frame i out and moves those before it up: what is dropped is
// mostly near the head.
func (o *outbox) drop(i int, size func(*transport.Frame) int, l *loss) {
	q := o.frames[i]
	if !o.thinned {
		o.thinned = true
		l.topic, l.policy, l.queued = q.frame.Topic(), q.thinning.Policy(), o.bytes
	}
	s := size(q.frame)
	o.bytes -= s
	o.spare--
	copy(o.frames[o.head+1:i+1], o.frames[o.head:i])
	o.frames[o.head] = parcel{}
	o.head++
	o.left(s)
	o.measure(size)
}

// lost counts what was dropped, and tells of it once for each episode.
func (c *counters) lost(ctx context.Context, to *telemetry.Stream, s transport.Session, l loss) {
	c.droppedOldest.Add(uint64(l.oldest))     //nolint:gosec // not negative
	c.droppedOutdated.Add(uint64(l.outdated)) //nolint:gosec // not negative
	if !l.begins() {
		return
	}
	c.thinned.Add(1)
	to.Emit(ctx, telemetry.ClientThinned{
		Socket: about(s), Topic: telemetry.Cut(l.topic), Policy: l.policy, Queued: l.queued,
	})
}

// stalled counts a client that is cut because it took nothing of what waits.
func (c *counters) stalled(ctx context.Context, config *Config, s transport.Session, waiting int) {
	c.writeTimeouts.Add(1)
	config.Telemetry.Emit(ctx, telemetry.ClientStalled{
		Socket: about(s), Queued: waiting, Timeout: config.WriteTimeout,
	})
}
