package echo

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/roostgo/roost/internal/frame"
)

// goodbye is a close frame.
func goodbye(payload string) []byte { return bits(true, 0, frame.Close, payload) }

// with is a close frame's payload.
func with(code uint16, reason string) string {
	return string(binary.BigEndian.AppendUint16(nil, code)) + reason
}

// answeredBy sends a close frame and expects one with this code, and the end.
func answeredBy(code uint16, payload string) func(s *scene) {
	return func(s *scene) {
		s.raw(goodbye(payload))
		s.ends(code)
	}
}

// lastOfAll sends a close frame and something behind it that is not answered.
func lastOfAll(before []byte, behind ...[]byte) func(s *scene) {
	return func(s *scene) {
		atOnce(s, append([][]byte{before, goodbye(with(1000, ""))}, behind...)...)
		s.ends(1000)
	}
}

// Autobahn 7.1 to 7.5: the closing handshake.
func TestTheClosingHandshakeIsAnswered(t *testing.T) {
	long := strings.Repeat("BAsd7&jh23", 26<<10)
	perform(t,
		scenario{"7.1.1", func(s *scene) {
			atOnce(s, text("Hello World!"))
			s.hears(frame.Text, "Hello World!")
			s.leaves()
		}},
		scenario{"7.1.2", lastOfAll(nil, goodbye(with(1000, "")))},
		scenario{"7.1.3", lastOfAll(nil, ping(""))},
		scenario{"7.1.4", lastOfAll(nil, text("Hello World!"))},
		scenario{"7.1.5", lastOfAll(begun("fragment1"), final("fragment2"))},
		scenario{"7.1.6", func(s *scene) { // informational there: all that was said before the close comes back
			frameByFrame(s, text(long), text("Hello World!"), goodbye(with(1000, "")), ping(""))
			s.hears(frame.Text, long)
			s.hears(frame.Text, "Hello World!")
			s.ends(1000)
		}},
		scenario{"7.3.1", answeredBy(1000, "")},
		scenario{"7.3.2", answeredBy(1002, "a")},
		scenario{"7.3.3", answeredBy(1000, with(1000, ""))},
		scenario{"7.3.4", answeredBy(1000, with(1000, "Hello World!"))},
		scenario{"7.3.5", answeredBy(1000, with(1000, strings.Repeat("*", 123)))},
		scenario{"7.3.6", answeredBy(1002, with(1000, strings.Repeat("*", 124)))},
		scenario{"7.5.1", answeredBy(1007, with(1000, "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited"))},
	)
}

// Autobahn 7.7, 7.9 and 7.13: which codes a client may send. The suite's
// versions differ in which of 1012 to 1015 they take for wrong, so 1002 must
// answer them, and in the numbers of what follows.
func TestCloseCodesAreToldApart(t *testing.T) {
	var list []scenario
	for i, code := range []uint16{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999} {
		list = append(list, scenario{fmt.Sprintf("7.7.%d", i+1), answeredBy(1000, with(code, ""))})
	}
	for i, code := range []uint16{0, 999, 1004, 1005, 1006, 1012, 1013, 1014, 1015, 1016, 1100, 2000, 2999} {
		list = append(list, scenario{fmt.Sprintf("7.9.%d", i+1), answeredBy(1002, with(code, ""))})
	}
	perform(t, append(list,
		scenario{"7.13.1", answeredBy(1002, with(5000, ""))},
		scenario{"7.13.2", answeredBy(1002, with(65535, ""))},
	)...)
}
