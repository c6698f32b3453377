package echo

import (
	"fmt"
	"strings"
	"testing"

	"github.com/roostgo/roost/internal/frame"
)

// Autobahn 1.1 and 1.2: the lengths at which a header changes its form.
func TestMessagesOfEveryLengthComeBack(t *testing.T) {
	var list []scenario
	for k, kind := range kinds {
		for i, n := range []int{0, 125, 126, 127, 128, 65535, 65536} {
			list = append(list, scenario{fmt.Sprintf("1.%d.%d", k+1, i+1), func(s *scene) {
				s.raw(s.whole(kind.op, strings.Repeat(kind.fill, n)))
				s.hears(kind.op, strings.Repeat(kind.fill, n))
				s.leaves()
			}})
		}
		list = append(list, scenario{fmt.Sprintf("1.%d.8", k+1), func(s *scene) {
			s.chop(s.whole(kind.op, strings.Repeat(kind.fill, 65536)), 997)
			s.hears(kind.op, strings.Repeat(kind.fill, 65536))
			s.leaves()
		}})
	}
	perform(t, list...)
}

// Autobahn 2: pings and pongs.
func TestPingsAreAnsweredAndPongsAreNot(t *testing.T) {
	odd, longest := "\x00\xff\xfe\xfd\xfc\xfb\x00\xff", strings.Repeat("\xfe", 125)
	answered := func(payload string, how delivery) func(s *scene) {
		return func(s *scene) {
			how(s, ping(payload))
			s.ExpectPong(s.t, payload)
			s.leaves()
		}
	}
	unasked := func(frames ...[]byte) func(s *scene) {
		return func(s *scene) {
			frameByFrame(s, frames...)
			s.leaves()
		}
	}
	ten := func(how delivery) func(s *scene) {
		return func(s *scene) {
			for i := range 10 {
				how(s, ping(fmt.Sprint("payload-", i)))
			}
			for i := range 10 {
				s.ExpectPong(s.t, fmt.Sprint("payload-", i))
			}
			s.leaves()
		}
	}
	perform(t,
		scenario{"2.1", answered("", atOnce)},
		scenario{"2.2", answered("Hello, world!", atOnce)},
		scenario{"2.3", answered(odd, atOnce)},
		scenario{"2.4", answered(longest, atOnce)},
		scenario{"2.5", func(s *scene) {
			s.raw(ping(longest + "\xfe"))
			s.ends(1002)
		}},
		scenario{"2.6", answered(longest, octetByOctet)},
		scenario{"2.7", unasked(pong(""))},
		scenario{"2.8", unasked(pong("unsolicited pong payload"))},
		scenario{"2.9", func(s *scene) {
			frameByFrame(s, pong("unsolicited pong payload"), ping("ping payload"))
			s.ExpectPong(s.t, "ping payload")
			s.leaves()
		}},
		scenario{"2.10", ten(atOnce)},
		scenario{"2.11", ten(octetByOctet)},
	)
}

// greeted sends a text, a frame that ends the connection and a ping: the text
// comes back before the end, the ping is not answered.
func greeted(how delivery, bad []byte) func(s *scene) {
	return func(s *scene) {
		how(s, text("Hello, world!"), bad, ping(""))
		s.hears(frame.Text, "Hello, world!")
		s.ends(1002)
	}
}

// fatal sends a frame that ends the connection.
func fatal(bad []byte) func(s *scene) {
	return func(s *scene) {
		s.raw(bad)
		s.ends(1002)
	}
}

// plainly plays where nothing was negotiated only.
func plainly(play func(s *scene)) func(s *scene) {
	return func(s *scene) {
		if s.compress {
			s.t.Skip("RSV1 means something when compression was negotiated")
		}
		play(s)
	}
}

// Autobahn 3: reserved bits. Its numbers count RSV1 as four.
func TestReservedBitsEndTheConnection(t *testing.T) {
	const rsv1, rsv2, rsv3 = frame.RSV1, frame.RSV2, frame.RSV3
	perform(t,
		scenario{"3.1", fatal(bits(true, rsv3, frame.Text, "Hello, world!"))},
		scenario{"3.2", greeted(atOnce, bits(true, rsv2, frame.Text, "Hello, world!"))},
		scenario{"3.3", greeted(frameByFrame, bits(true, rsv2|rsv3, frame.Text, "Hello, world!"))},
		scenario{"3.4", plainly(greeted(octetByOctet, bits(true, rsv1, frame.Text, "Hello, world!")))},
		scenario{"3.5", fatal(bits(true, rsv1|rsv3, frame.Binary, "\x00\xff\xfe\xfd\xfc\xfb\x00\xff"))},
		scenario{"3.6", fatal(bits(true, rsv1|rsv2, frame.Ping, "Hello, world!"))},
		scenario{"3.7", fatal(bits(true, rsv1|rsv2|rsv3, frame.Close, "\x03\xe8"))},
	)
}

// Autobahn 4: opcodes that nobody has defined.
func TestUnknownOpcodesEndTheConnection(t *testing.T) {
	perform(t,
		scenario{"4.1.1", fatal(bits(true, 0, 3, ""))},
		scenario{"4.1.2", fatal(bits(true, 0, 4, "reserved opcode payload"))},
		scenario{"4.1.3", greeted(frameByFrame, bits(true, 0, 5, ""))},
		scenario{"4.1.4", greeted(frameByFrame, bits(true, 0, 6, "reserved opcode payload"))},
		scenario{"4.1.5", greeted(octetByOctet, bits(true, 0, 7, "reserved opcode payload"))},
		scenario{"4.2.1", fatal(bits(true, 0, 11, ""))},
		scenario{"4.2.2", fatal(bits(true, 0, 12, "reserved opcode payload"))},
		scenario{"4.2.3", greeted(frameByFrame, bits(true, 0, 13, ""))},
		scenario{"4.2.4", greeted(frameByFrame, bits(true, 0, 14, "reserved opcode payload"))},
		scenario{"4.2.5", greeted(octetByOctet, bits(true, 0, 15, "reserved opcode payload"))},
	)
}
