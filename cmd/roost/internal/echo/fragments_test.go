package echo

import (
	"strings"
	"testing"

	"github.com/roostgo/roost/internal/frame"
)

// joined sends fragments, with pings among them whose answers come first, and
// expects the message.
func joined(how delivery, pongs []string, frames ...[]byte) func(s *scene) {
	return func(s *scene) {
		how(s, frames...)
		for _, p := range pongs {
			s.ExpectPong(s.t, p)
		}
		s.hears(frame.Text, "fragment1fragment2")
		s.leaves()
	}
}

// refused sends frames of which the first is wrong already.
func refused(how delivery, frames ...[]byte) func(s *scene) {
	return func(s *scene) {
		how(s, frames...)
		s.ends(1002)
	}
}

// slowly sends a message in five fragments and two pings. The first ping must
// be answered before the rest is sent.
func slowly(how delivery) func(s *scene) {
	return func(s *scene) {
		how(s, begun("fragment1"), more("fragment2"), ping("pongme 1!"))
		s.ExpectPong(s.t, "pongme 1!")
		how(s, more("fragment3"), more("fragment4"), ping("pongme 2!"), final("fragment5"))
		s.ExpectPong(s.t, "pongme 2!")
		s.hears(frame.Text, "fragment1fragment2fragment3fragment4fragment5")
		s.leaves()
	}
}

// Autobahn 5: fragmentation.
func TestFragmentsAreJoinedWhereTheyMayBe(t *testing.T) {
	one, two, hello := begun("fragment1"), final("fragment2"), text("Hello, world!")
	between := []string{"ping payload"}
	nothing, nothingYet := final("non-continuation payload"), more("non-continuation payload")
	perform(t,
		scenario{"5.1", refused(atOnce, bits(false, 0, frame.Ping, "fragment1"), two)},
		scenario{"5.2", refused(atOnce, bits(false, 0, frame.Pong, "fragment1"), two)},
		scenario{"5.3", joined(atOnce, nil, one, two)},
		scenario{"5.4", joined(frameByFrame, nil, one, two)},
		scenario{"5.5", joined(octetByOctet, nil, one, two)},
		scenario{"5.6", joined(atOnce, between, one, ping(between[0]), two)},
		scenario{"5.7", joined(frameByFrame, between, one, ping(between[0]), two)},
		scenario{"5.8", joined(octetByOctet, between, one, ping(between[0]), two)},
		scenario{"5.9", refused(atOnce, nothing, hello)},
		scenario{"5.10", refused(frameByFrame, nothing, hello)},
		scenario{"5.11", refused(octetByOctet, nothing, hello)},
		scenario{"5.12", refused(atOnce, nothingYet, hello)},
		scenario{"5.13", refused(frameByFrame, nothingYet, hello)},
		scenario{"5.14", refused(octetByOctet, nothingYet, hello)},
		scenario{"5.15", func(s *scene) {
			atOnce(s, one, two, more("fragment3"), text("fragment4"))
			s.hears(frame.Text, "fragment1fragment2")
			s.ends(1002)
		}},
		scenario{"5.16", refused(frameByFrame, more("fragment1"), begun("fragment2"), final("fragment3"), more("fragment4"), begun("fragment5"), final("fragment6"))},
		scenario{"5.17", refused(frameByFrame, final("fragment1"), begun("fragment2"), final("fragment3"), final("fragment4"), begun("fragment5"), final("fragment6"))},
		scenario{"5.18", refused(frameByFrame, one, text("fragment2"))},
		scenario{"5.19", slowly(frameByFrame)},
		scenario{"5.20", slowly(octetByOctet)},
	)
}

// Autobahn 10: a client that fragments by itself.
func TestALongMessageInShortFragmentsComesBackInOne(t *testing.T) {
	long := strings.Repeat("*", 65536)
	perform(t, scenario{"10.1.1", func(s *scene) {
		atOnce(s, s.pieces(frame.Text, long, 1300)...)
		s.hears(frame.Text, long)
		s.leaves()
	}})
}
