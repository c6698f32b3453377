package echo

import (
	"fmt"
	"strings"
	"testing"

	"github.com/roostgo/roost/internal/frame"
)

// returned sends a message in one go, and expects it back. The client goes on
// reading meanwhile, as every client must.
func (s *scene) returned(op frame.Opcode, payload string, send func()) {
	s.t.Helper()
	sent := make(chan struct{})
	go func() { // ends with what it sends, at the latest when the connection is dropped
		defer close(sent)
		send()
	}()
	s.hears(op, payload)
	<-sent
}

// Autobahn 9.1 and 9.2: messages of up to 16 MiB in one frame.
func TestLargeMessagesComeBack(t *testing.T) {
	var list []scenario
	for k, kind := range kinds {
		for i, n := range []int{64 << 10, 256 << 10, 1 << 20, 4 << 20, 8 << 20, 16 << 20} {
			list = append(list, scenario{fmt.Sprintf("9.%d.%d", k+1, i+1), func(s *scene) {
				payload := strings.Repeat(kind.fill, unlessRaced(n, 16))
				s.returned(kind.op, payload, func() { s.raw(bits(true, 0, kind.op, payload)) })
				s.leaves()
			}})
		}
	}
	perform(t, list...)
}

// Autobahn 9.3 and 9.4: messages of 4 MiB in fragments of 64 bytes and more.
func TestLargeMessagesInFragmentsComeBack(t *testing.T) {
	var list []scenario
	for k, kind := range kinds {
		for i, n := range []int{64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20} {
			list = append(list, scenario{fmt.Sprintf("9.%d.%d", k+3, i+1), func(s *scene) {
				payload := strings.Repeat(kind.fill, unlessRaced(4<<20, 16))
				s.returned(kind.op, payload, func() { atOnce(s, s.pieces(kind.op, payload, n)...) })
				s.leaves()
			}})
		}
	}
	perform(t, list...)
}

// 9.3.1 with a message of 16 MiB, which the suite does not try.
func TestTheLargestMessageInTheSmallestFragmentsComesBack(t *testing.T) {
	payload := strings.Repeat("*", unlessRaced(16<<20, 32))
	perform(t, scenario{"16 MiB in 64 bytes", func(s *scene) {
		s.compress = false // it would be short
		s.returned(frame.Text, payload, func() { atOnce(s, s.pieces(frame.Text, payload, 64)...) })
		s.leaves()
	}})
}

// Autobahn 9.5 and 9.6: messages of 1 MiB in writes of 64 bytes and more.
func TestMessagesThatTrickleInComeBack(t *testing.T) {
	var list []scenario
	for k, kind := range kinds {
		for i, n := range []int{64, 128, 256, 512, 1 << 10, 2 << 10} {
			list = append(list, scenario{fmt.Sprintf("9.%d.%d", k+5, i+1), func(s *scene) {
				payload := strings.Repeat(kind.fill, unlessRaced(1<<20, 32))
				s.returned(kind.op, payload, func() { s.chop(bits(true, 0, kind.op, payload), n) })
				s.leaves()
			}})
		}
	}
	perform(t, list...)
}

// Autobahn 9.7 and 9.8: 1,000 messages, each sent when the one before is back.
func TestManyMessagesComeBackOneByOne(t *testing.T) {
	var list []scenario
	for k, kind := range kinds {
		for i, n := range []int{0, 16, 64, 256, 1 << 10, 4 << 10} {
			list = append(list, scenario{fmt.Sprintf("9.%d.%d", k+7, i+1), func(s *scene) {
				payload := strings.Repeat(kind.fill, n)
				for range unlessFull(1000, 20) {
					s.raw(s.whole(kind.op, payload))
					s.hears(kind.op, payload)
				}
				s.leaves()
			}})
		}
	}
	perform(t, list...)
}
