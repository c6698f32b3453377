//go:build !race

package frame

import "testing"

// Not with the race detector, under which sync.Pool forgets at random.

func TestCompressionReusesItsMemory(t *testing.T) {
	dst, frame := make([]byte, 0, 4096), stream(deflated(Text, long))
	buf := make([]byte, len(frame))
	var a Assembler
	allocs := testing.AllocsPerRun(100, func() {
		Deflate(dst, []byte(long))
		copy(buf, frame)
		if ev, _, err := a.Next(buf, &deflating); err != nil || ev.Opcode != Text {
			t.Fatal(ev, err)
		}
	})
	if allocs > 3 { // the payload as bytes, the message, its growth
		t.Errorf("%v allocations", allocs)
	}
}
