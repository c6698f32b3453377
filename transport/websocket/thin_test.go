package websocket

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/roostgo/roost/transport"
)

// wireSize is how long a frame is.
func wireSize(f *transport.Frame) int { return len(f.WebSocket()) }

// newsOf is a broadcast of some bytes.
func newsOf(topic string, bytes int) *transport.Frame {
	return transport.Seal(transport.Room(bytes)[:transport.Headroom+bytes], false).About(topic, "news")
}

// thinTrial is an outbox, and all that it must not drop.
type thinTrial struct {
	o     outbox
	r     *rand.Rand
	ts    []*transport.Thinning
	order map[*transport.Frame]int
}

// firmly are the frames that must be there after what comes next: those that
// nothing may drop, and those that are about to leave.
func (tr *thinTrial) firmly() (list []*transport.Frame) {
	for i, p := range tr.o.frames[tr.o.head:] {
		if p.thinning == nil || tr.o.head+i < tr.o.loose() {
			list = append(list, p.frame)
		}
	}
	return list
}

func (tr *thinTrial) offer() (*transport.Frame, loss) {
	f := newsOf(fmt.Sprint("t", tr.r.IntN(4)), tr.r.IntN(300))
	tr.order[f] = len(tr.order)
	tr.o.offer(f, tr.ts[tr.r.IntN(len(tr.ts))], wireSize(f))
	return f, tr.o.thin(wireSize)
}

func (tr *thinTrial) reply() *transport.Frame {
	f := transport.Seal(transport.Room(50)[:transport.Headroom+tr.r.IntN(50)], false)
	tr.order[f] = len(tr.order)
	tr.o.add(f, wireSize(f))
	return f
}

// write lets some bytes leave, or takes some frames in hand.
func (tr *thinTrial) write() {
	if tr.o.empty() {
		return
	}
	if tr.r.IntN(3) == 0 {
		tr.o.firm = max(tr.o.firm, tr.r.IntN(min(tr.o.len(), 4)))
		return
	}
	tr.o.written(tr.r.IntN(min(tr.o.bytes, 400)+1), wireSize)
}

func (tr *thinTrial) check(t *testing.T) {
	t.Helper()
	bytes, spare, last := -tr.o.offset, 0, -1
	for _, p := range tr.o.frames[tr.o.head:] {
		bytes += wireSize(p.frame)
		if p.thinning != nil {
			spare++
		}
		if n := tr.order[p.frame]; n <= last {
			t.Fatalf("frame %d waits behind frame %d", n, last)
		} else {
			last = n
		}
	}
	if bytes != tr.o.bytes || spare != tr.o.spare {
		t.Fatalf("%d bytes and %d frames that may go are counted, there are %d and %d", tr.o.bytes, tr.o.spare, bytes, spare)
	}
	for _, p := range tr.o.frames[:tr.o.head] {
		if p.frame != nil {
			t.Fatal("a frame that is gone is kept")
		}
	}
}

func (tr *thinTrial) has(f *transport.Frame) bool {
	return slices.ContainsFunc(tr.o.frames[tr.o.head:], func(p parcel) bool { return p.frame == f })
}

// within checks the bounds of the last frame's thinning.
func (tr *thinTrial) within(t *testing.T) {
	t.Helper()
	last := tr.o.frames[len(tr.o.frames)-1]
	over := tr.o.weight() > last.thinning.Bytes || tr.o.len() > last.thinning.Frames
	for _, p := range tr.o.frames[min(tr.o.loose(), len(tr.o.frames)-1) : len(tr.o.frames)-1] {
		if p.thinning != last.thinning {
			continue
		}
		if over {
			t.Fatalf("%d frames wait that weigh %d, and one of them could go", tr.o.len(), tr.o.weight())
		}
		if last.thinning.Latest && last.frame.Supersedes(p.frame) {
			t.Fatal("an outdated frame waits")
		}
	}
}

func TestWhatIsThinnedKeepsItsOrderAndWhatMayNotGo(t *testing.T) {
	for seed := range uint64(30) {
		tr := &thinTrial{
			r: rand.New(rand.NewPCG(seed, 7)), order: make(map[*transport.Frame]int),
			ts: []*transport.Thinning{{Bytes: 4000, Frames: 20}, {Latest: true, Bytes: 4000, Frames: 20}, {Bytes: 1 << 20, Frames: 5}},
		}
		for range 2000 {
			before, waited := tr.firmly(), tr.o.len()
			switch tr.r.IntN(4) {
			case 0:
				tr.write()
			case 1:
				before = append(before, tr.reply())
				tr.keeps(t, before)
				l := tr.o.relieve(6000, wireSize)
				if tr.keeps(t, before); tr.o.len() != waited+1-l.oldest {
					t.Fatalf("%d are said to have gone, %d of %d are left", l.oldest, tr.o.len(), waited+1)
				}
			default:
				f, l := tr.offer()
				if tr.keeps(t, append(before, f)); tr.o.len() != waited+1-l.oldest-l.outdated {
					t.Fatalf("%+v is said to have gone, %d of %d are left", l, tr.o.len(), waited+1)
				}
				tr.within(t)
			}
			tr.check(t)
		}
	}
}

func (tr *thinTrial) keeps(t *testing.T, frames []*transport.Frame) {
	t.Helper()
	for _, f := range frames {
		if !tr.has(f) {
			t.Fatalf("a frame that has to stay is gone (of topic %q)", f.Topic())
		}
	}
}

func TestAnEpisodeBeginsOnceAndEndsWhenAllHasLeft(t *testing.T) {
	var o outbox
	thinning := &transport.Thinning{Latest: true, Bytes: 1 << 20, Frames: 10}
	news := func() loss {
		f := newsOf("room:1", 10)
		o.offer(f, thinning, wireSize(f))
		return o.thin(wireSize)
	}
	for range 3 {
		if l := news(); l.begins() || l.outdated != 0 {
			t.Errorf("the first frame lost %+v", l)
		}
		if l := news(); !l.begins() || l.outdated != 1 || l.topic != "room:1" || l.policy != "keep_latest" || l.queued == 0 {
			t.Errorf("the second frame lost %+v", l)
		}
		if l := news(); l.begins() || l.outdated != 1 {
			t.Errorf("the third frame lost %+v", l)
		}
		o.written(o.bytes, wireSize)
	}
}

func TestLossesAddUpAndKeepTheBeginning(t *testing.T) {
	first := loss{oldest: 1, topic: "a", policy: "drop_oldest", queued: 3}
	for _, sum := range []loss{first.plus(loss{oldest: 1, outdated: 2}), (loss{oldest: 1, outdated: 2}).plus(first)} {
		if sum != (loss{oldest: 2, outdated: 2, topic: "a", policy: "drop_oldest", queued: 3}) {
			t.Errorf("got %+v", sum)
		}
	}
}

func TestAPaceIsThatOfTheLastByteThatLeft(t *testing.T) {
	var p pace
	for _, step := range []struct {
		left int
		now  uint32
		want bool
	}{
		{0, 1_000_000, false}, // the first look
		{0, 1_000_099, false},
		{0, 1_000_100, true},
		{1, 1_000_150, false},
		{1, 1_000_249, false},
		{9, 1_000_250, false},
		{9, 1_000_350, true},
	} {
		p.left = step.left
		if got := p.stalled(step.now, 100); got != step.want {
			t.Errorf("%+v: got %v", step, got)
		}
	}
	p = pace{}
	if early := ^uint32(0) - 10; p.stalled(early, 100) || p.stalled(early+99, 100) || !p.stalled(early+100, 100) {
		t.Error("the clock cannot wrap")
	}
}

func BenchmarkOffer(b *testing.B) {
	for _, waiting := range []int{0, 10, 1000} {
		for _, latest := range []bool{false, true} {
			name := strings.ReplaceAll(fmt.Sprintf("waiting=%d/latest=%v", waiting, latest), " ", "")
			b.Run(name, func(b *testing.B) { offers(b, waiting, latest) })
		}
	}
}

// offers measures an offer to a client that is behind, or to one for which
// nothing waits.
func offers(b *testing.B, waiting int, latest bool) {
	var o outbox
	thinning := &transport.Thinning{Latest: latest, Bytes: 1 << 30, Frames: max(waiting, 1)}
	for i := range waiting {
		f := newsOf(fmt.Sprint("t", i), 100)
		o.offer(f, thinning, wireSize(f))
	}
	f := newsOf("t", 100)
	size := wireSize(f)
	b.ReportAllocs()
	for b.Loop() {
		o.offer(f, thinning, size)
		if waiting > 0 {
			o.thin(wireSize)
		} else {
			o.written(size, wireSize)
		}
	}
}
