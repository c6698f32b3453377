package websocket

import (
	"bytes"
	"math/rand/v2"
	"runtime"
	"testing"
	"unsafe"

	"github.com/roostgo/roost/transport"
)

// naive is an outbox as one would write it without a thought for its cost.
type naive struct {
	stream []byte // that waits
	sizes  []int  // of the frames in it, the first one's rest
}

func (n *naive) add(b []byte) {
	n.stream = append(n.stream, b...)
	n.sizes = append(n.sizes, len(b))
}

func (n *naive) written(count int) (frames int) {
	n.stream = n.stream[count:]
	for len(n.sizes) > 0 && count >= n.sizes[0] {
		count -= n.sizes[0]
		n.sizes = n.sizes[1:]
		frames++
	}
	if len(n.sizes) > 0 {
		n.sizes[0] -= count
	}
	return frames
}

func size(f *transport.Frame) int { return len(f.WebSocket()) }

// waiting is everything in an outbox, as it would be written.
func (o *outbox) waiting() (b []byte) {
	for i, p := range o.frames[o.head:] {
		w := p.frame.WebSocket()
		if i == 0 {
			w = w[o.offset:]
		}
		b = append(b, w...)
	}
	return b
}

func randomFrame(r *rand.Rand) *transport.Frame {
	n := r.IntN(40)
	if r.IntN(20) == 0 {
		n = r.IntN(2000)
	}
	b := transport.Room(n)
	for range n {
		b = append(b, byte(r.Uint32()))
	}
	return transport.Seal(b, true)
}

func TestAnOutboxIsAStreamOfBytes(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		var o outbox
		var n naive
		for step := range 3000 {
			if grow := r.IntN(10) < 4+step/300%3; grow {
				f := randomFrame(r)
				o.add(f, size(f))
				n.add(f.WebSocket())
			} else if !o.empty() {
				count := r.IntN(len(n.stream) + 1)
				if r.IntN(2) == 0 {
					count = min(count, 50)
				}
				if got, want := o.written(count, size), n.written(count); got != want {
					t.Fatalf("seed %d, step %d: %d frames left whole, want %d", seed, step, got, want)
				}
			}
			checkOutbox(t, &o, &n)
		}
		o.reset()
		checkOutbox(t, &o, new(naive))
	}
}

func checkOutbox(t *testing.T, o *outbox, n *naive) {
	t.Helper()
	if o.bytes != len(n.stream) || o.len() != len(n.sizes) || o.empty() != (len(n.sizes) == 0) {
		t.Fatalf("%d bytes in %d frames wait, want %d in %d", o.bytes, o.len(), len(n.stream), len(n.sizes))
	}
	if !bytes.Equal(o.waiting(), n.stream) {
		t.Fatal("what waits is not what was added")
	}
	if o.empty() && o.largest != 0 {
		t.Fatalf("an empty outbox remembers a frame of %d", o.largest)
	}
	if len(o.frames) > 2*o.len()+128 {
		t.Fatalf("%d places for %d frames", len(o.frames), o.len())
	}
	for _, p := range o.frames[:o.head] {
		if p.frame != nil {
			t.Fatal("a frame that has left is kept")
		}
	}
}

func TestWeightLeavesOutTheLargestFrame(t *testing.T) {
	var o outbox
	add := func(n int) {
		f := transport.Seal(transport.Room(n)[:transport.Headroom+n], true)
		o.add(f, size(f))
	}
	add(100_000)
	if w := o.weight(); w > 0 {
		t.Errorf("one frame weighs %d", w)
	}
	o.written(60_000, size)
	if w := o.weight(); w > 0 {
		t.Errorf("the rest of one frame weighs %d", w)
	}
	o.written(o.bytes, size)
	for range 1000 {
		add(0)
	}
	if w := o.weight(); w != 999*(2+frameCost) {
		t.Errorf("1,000 empty frames weigh %d", w)
	}
}

func TestALenderKeepsWhatWasNeededLately(t *testing.T) {
	var l lender
	var out []*busy
	for range 1000 {
		out = append(out, l.take())
	}
	for _, b := range out[10:] {
		l.give(b)
	}
	l.trim() // 1,000 were needed since the last one
	if n := len(l.free); n != 990 {
		t.Errorf("%d kept, want 990", n)
	}
	for range 5 {
		l.give(l.take())
	}
	l.trim()
	if n := len(l.free); n != 1 {
		t.Errorf("%d kept, want 1: 11 were needed, 10 are lent", n)
	}
	for _, b := range out[:10] {
		b.out.add(randomFrame(rand.New(rand.NewPCG(1, 1))), 1)
		l.give(b)
	}
	for range 11 {
		if b := l.take(); !b.idle() || b.out.bytes != 0 || b.out.largest != 0 {
			t.Errorf("lent out with something in it: %+v", b)
		}
	}
}

func TestATableFindsEachConnectionByItsDescriptor(t *testing.T) {
	var tab table
	r := rand.New(rand.NewPCG(3, 4))
	model := make(map[int32]*conn)
	for range 20_000 {
		fd := r.Int32N(5000)
		if r.IntN(50) == 0 {
			fd = r.Int32N(tableSize)
		}
		switch c := model[fd]; {
		case c == nil:
			c = &conn{fd: fd}
			tab.put(c.fd, c)
			model[fd] = c
		case r.IntN(2) == 0:
			tab.drop(fd)
			delete(model, fd)
		case tab.at(fd) != c:
			t.Fatalf("descriptor %d is another's", fd)
		}
	}
	found := 0
	tab.each(func(c *conn) {
		found++
		if model[c.fd] != c {
			t.Errorf("descriptor %d is not there", c.fd)
		}
	})
	if found != len(model) {
		t.Errorf("%d connections, want %d", found, len(model))
	}
	if tab.at(tableSize-1) != model[tableSize-1] || tab.at(0) != model[0] {
		t.Error("the ends of the table are wrong")
	}
}

func TestAConnectionIs48Bytes(t *testing.T) {
	if n := unsafe.Sizeof(conn{}); n != 48 {
		t.Errorf("%d bytes", n)
	}
}

// The memory of a descriptor's earlier uses is not kept.
func TestADroppedConnectionIsForgotten(t *testing.T) {
	var tab table
	gone := make(chan struct{})
	func() {
		c := &conn{fd: 7, session: nil, busy: new(busy)}
		runtime.AddCleanup(c, func(struct{}) { close(gone) }, struct{}{})
		tab.put(c.fd, c)
		tab.drop(7)
	}()
	runtime.GC()
	<-gone
	runtime.KeepAlive(&tab)
}
