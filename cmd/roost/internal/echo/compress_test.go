package echo

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/roostgo/roost/internal/frame"
)

// sizes are the messages of each case of groups 12 and 13: how long, and in
// fragments of how many compressed bytes.
var sizes = []struct{ length, fragment int }{
	{16, 0}, {64, 0}, {256, 0}, {1 << 10, 0}, {4 << 10, 0}, {8 << 10, 0}, {16 << 10, 0}, {32 << 10, 0}, {64 << 10, 0}, {128 << 10, 0},
	{8 << 10, 256}, {16 << 10, 256}, {32 << 10, 256}, {64 << 10, 256}, {128 << 10, 256}, {128 << 10, 1 << 10}, {128 << 10, 4 << 10}, {128 << 10, 32 << 10},
}

// material is what messages are cut from: of the nature of the suite's files.
type material struct {
	op    frame.Opcode
	bytes string
}

// materials are prose, a picture, what is compressed already, JSON and HTML.
func materials() []material {
	r := rand.New(rand.NewPCG(12, 13))
	word := func() string {
		return []string{"Habe", "nun", "ach", "Philosophie", "Juristerei", "und", "Medizin", "leider", "auch", "Theologie"}[r.IntN(10)]
	}
	var prose, picture, packed, json, html strings.Builder
	for prose.Len() < 300<<10 {
		prose.WriteString(word() + []string{" ", ", ", "!\n"}[r.IntN(3)])
	}
	for i := range 300 << 10 {
		picture.WriteByte(byte(i/512) + byte(r.IntN(4)))
		packed.WriteByte(byte(r.Uint32()))
	}
	for json.Len() < 300<<10 {
		fmt.Fprintf(&json, `{"id":%d,"name":%q,"on":%v,"at":%.3f},`, r.IntN(1e6), word(), r.IntN(2) == 0, r.Float64())
	}
	for html.Len() < 300<<10 {
		fmt.Fprintf(&html, "<tr><td class=%q>%s</td><td>%d</td></tr>\n", word(), word(), r.IntN(1e6))
	}
	return []material{
		{frame.Binary, prose.String()}, {frame.Binary, picture.String()}, {frame.Binary, packed.String()},
		{frame.Text, json.String()}, {frame.Text, html.String()},
	}
}

// exchanged sends messages, each when the one before is back.
func (s *scene) exchanged(m material, length, fragment int) {
	s.t.Helper()
	if fragment == 0 {
		fragment = length + 1<<10
	}
	for _, at := range rand.New(rand.NewPCG(1, 2)).Perm(len(m.bytes) - length)[:unlessRaced(unlessFull(1000, 250), 4)] {
		payload := m.bytes[at : at+length]
		frames := s.pieces(m.op, payload, fragment)
		s.returned(m.op, payload, func() { frameByFrame(s, frames...) })
	}
}

// Autobahn 12: five kinds of data.
func TestCompressedMessagesOfEveryKindComeBack(t *testing.T) {
	var list []scenario
	for i, m := range materials() {
		for j, size := range sizes {
			if raced && j%3 != i%3 {
				continue // the race detector makes compression slow; without it all are tried
			}
			list = append(list, scenario{fmt.Sprintf("12.%d.%d", i+1, j+1), func(s *scene) {
				s.exchanged(m, size.length, size.fragment)
				s.leaves()
			}})
		}
	}
	performOffering(t, "permessage-deflate; client_no_context_takeover; client_max_window_bits", list...)
}

// Autobahn 13: what clients ask for, and what they get.
func TestOffersOfCompressionAreAnsweredAndKept(t *testing.T) {
	const (
		hints   = "; client_no_context_takeover; client_max_window_bits"
		granted = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
	)
	json := materials()[3]
	for i, row := range []struct{ offer, answer string }{
		{"permessage-deflate" + hints, granted},
		{"permessage-deflate" + hints + "; server_no_context_takeover", granted},
		{"permessage-deflate" + hints + "; server_max_window_bits=8", granted + "; server_max_window_bits=8"},
		{"permessage-deflate" + hints + "; server_max_window_bits=15", granted + "; server_max_window_bits=15"},
		{"permessage-deflate" + hints + "; server_no_context_takeover; server_max_window_bits=8", granted + "; server_max_window_bits=8"},
		{"permessage-deflate" + hints + "; server_no_context_takeover; server_max_window_bits=15", granted + "; server_max_window_bits=15"},
		{"permessage-deflate" + hints + "; server_no_context_takeover; server_max_window_bits=8, permessage-deflate" + hints +
			"; server_no_context_takeover, permessage-deflate" + hints, granted + "; server_max_window_bits=8"},
	} {
		var list []scenario
		for j, size := range sizes {
			if raced && j%3 != i%3 {
				continue // the race detector makes compression slow; without it all are tried
			}
			list = append(list, scenario{fmt.Sprintf("13.%d.%d", i+1, j+1), func(s *scene) {
				if got := s.Response.Header.Get("Sec-WebSocket-Extensions"); got != row.answer {
					s.t.Errorf("%q was answered with %q, want %q", row.offer, got, row.answer)
				}
				s.exchanged(json, size.length, size.fragment)
				s.leaves()
			}})
		}
		t.Run(fmt.Sprint("13.", i+1), func(t *testing.T) { performOffering(t, row.offer, list...) })
	}
}

// performOffering plays scenarios on each engine with clients that offer
// compression in these words.
func performOffering(t *testing.T, offer string, list ...scenario) {
	t.Helper()
	for _, e := range engines() {
		v := variant{e, true}
		t.Run(v.String(), func(t *testing.T) {
			url := start(t, v)
			for _, sc := range list {
				t.Run(sc.number, func(t *testing.T) { sc.play(enter(t, url, offering(offer))) })
			}
		})
	}
}
