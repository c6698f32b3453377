package websocket

import (
	"testing"

	"github.com/roostgo/roost/transport"
)

// filled is an outbox in which frames of such payloads wait.
func filled(sizes ...int) *outbox {
	o := new(outbox)
	for _, n := range sizes {
		o.fill(n)
	}
	return o
}

func (o *outbox) fill(n int) {
	f := transport.Seal(append(transport.Room(n), make([]byte, n)...), true)
	o.add(f, wireSize(f))
}

// drain has the first n frames leave.
func (o *outbox) drain(n int) {
	for range n {
		o.written(wireSize(o.frames[o.head].frame)-o.offset, wireSize)
	}
}

func TestTheLargestFrameDoesNotCountOnlyWhileItWaits(t *testing.T) {
	o := filled(10_000_000, 1000)
	o.drain(1)
	for range 9000 {
		o.fill(1000)
	}
	if o.weight() < 9000*1000 {
		t.Errorf("%d bytes wait in %d frames, and weigh %d", o.bytes, o.len(), o.weight())
	}
	o = filled(10, 5000, 70_000, 300, 70_000, 4000)
	for _, step := range []struct{ leave, largest int }{{1, 70_000}, {2, 70_000}, {2, 4000}} {
		o.drain(step.leave)
		if got := o.largest; got < step.largest || got > step.largest+16 {
			t.Errorf("the largest of %d frames is %d, want %d", o.len(), got, step.largest)
		}
	}
}

func TestADroppedFrameIsNotTheLargest(t *testing.T) {
	o := filled(10)
	big := transport.Seal(append(transport.Room(100_000), make([]byte, 100_000)...), true)
	o.offer(big, &transport.Thinning{Bytes: 1, Frames: 1}, wireSize(big))
	for range 50 {
		o.fill(1000)
	}
	if l := o.relieve(20_000, wireSize); l.oldest != 1 || o.weight() < 50_000 {
		t.Errorf("%+v: what waits weighs %d", l, o.weight())
	}
}

// Frames of which each is smaller than the one before would have all that wait
// looked at whenever one leaves.
func TestTheLargestIsFoundWithFewLooks(t *testing.T) {
	const n = 2000
	o := new(outbox)
	for i := range n {
		o.fill(n - i)
	}
	looks := 0
	size := func(f *transport.Frame) int { looks++; return wireSize(f) }
	for o.len() > 1 {
		o.written(wireSize(o.frames[o.head].frame), size)
	}
	if most := 12 * n; looks > most {
		t.Errorf("%d looks at %d frames", looks, n)
	}
}
