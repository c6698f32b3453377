package echo

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/test/client"
)

// kosme is the Greek word that UTF-8 test files begin with.
const kosme = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"

// spoken sends fragments and expects the text.
func spoken(want string, frames ...[]byte) func(s *scene) {
	return func(s *scene) {
		frameByFrame(s, frames...)
		s.hears(frame.Text, want)
		s.leaves()
	}
}

// spelt is a text in fragments of one byte.
func spelt(s string) (frames [][]byte) {
	for i := range len(s) {
		frames = append(frames, bits(i == len(s)-1, 0, []frame.Opcode{frame.Text, frame.Continuation}[min(i, 1)], s[i:i+1]))
	}
	return frames
}

// noticed sends two fragments of which the second makes the text invalid, and
// not the last one: the server must not wait for it.
func noticed(first, second string) func(s *scene) {
	return func(s *scene) {
		frameByFrame(s, begun(first), ping("so far so good"))
		s.ExpectPong(s.t, "so far so good")
		s.raw(more(second))
		s.ends(1007)
	}
}

// interrupted sends two parts of one frame, of which the second makes the text
// invalid, and not the rest.
func interrupted(first, second string) func(s *scene) {
	return func(s *scene) {
		const rest = "\x80\x80edited"
		whole := text(first + second + rest)
		end := len(whole) - len(rest)
		frameByFrame(s, whole[:end-len(second)], whole[end-len(second):end])
		s.ends(1007)
	}
}

// Autobahn 6.1 to 6.4.
func TestTextIsCheckedAsItArrives(t *testing.T) {
	const mixed, wrong = "Hello-µ@ßöäüàá-UTF-8!!", kosme + "\xed\xa0\x80edited"
	half := strings.Index(mixed, "ö")
	perform(t,
		scenario{"6.1.1", spoken("", text(""))},
		scenario{"6.1.2", spoken("", begun(""), more(""), final(""))},
		scenario{"6.1.3", spoken("middle frame payload", begun(""), more("middle frame payload"), final(""))},
		scenario{"6.2.1", spoken(mixed, text(mixed))},
		scenario{"6.2.2", spoken(mixed, begun(mixed[:half]), final(mixed[half:]))},
		scenario{"6.2.3", spoken(mixed, spelt(mixed)...)},
		scenario{"6.2.4", spoken(kosme, spelt(kosme)...)},
		scenario{"6.3.1", func(s *scene) { s.raw(text(wrong)); s.ends(1007) }},
		scenario{"6.3.2", func(s *scene) { atOnce(s, spelt(wrong)...); s.ends(1007) }},
		scenario{"6.4.1", noticed(kosme, "\xf4\x90\x80\x80")},
		scenario{"6.4.2", noticed(kosme+"\xf4", "\x90")},
		scenario{"6.4.3", interrupted(kosme, "\xf4\x90\x80\x80")},
		scenario{"6.4.4", interrupted(kosme+"\xf4", "\x90")},
	)
}

// sequences are groups 6.5 to 6.23 of the Autobahn test suite: the classes of
// Markus Kuhn's UTF-8 decoder stress test.
func sequences() [][]string {
	continuations := func(n int) string { return strings.Repeat("\x80\xbf", n)[:n] }
	var every, lonely []string
	every = append(every, "")
	for c := 0x80; c < 0xbf; c++ {
		every[0] += string([]byte{byte(c)})
	}
	for _, span := range [][2]int{{0xc0, 0xdf}, {0xe0, 0xef}, {0xf0, 0xf7}, {0xf8, 0xfb}, {0xfc, 0xfd}} {
		s := ""
		for c := span[0]; c < span[1]; c++ {
			s += string([]byte{byte(c), ' '})
		}
		lonely = append(lonely, s)
	}
	incomplete := []string{
		"\xc0", "\xe0\x80", "\xf0\x80\x80", "\xf8\x80\x80\x80", "\xfc\x80\x80\x80\x80",
		"\xdf", "\xef\xbf", "\xf7\xbf\xbf", "\xfb\xbf\xbf\xbf", "\xfd\xbf\xbf\xbf\xbf",
	}
	var prefixes, unexpected, pairs, none []string
	for i := range len(kosme) {
		prefixes = append(prefixes, kosme[:i+1])
	}
	for i := range 6 {
		unexpected = append(unexpected, continuations(i+1))
	}
	unexpected = append([]string{"\x80", "\xbf"}, append(unexpected[1:], every...)...)
	for _, high := range []string{"\xed\xa0\x80", "\xed\xad\xbf", "\xed\xae\x80", "\xed\xaf\xbf"} {
		pairs = append(pairs, high+"\xed\xb0\x80", high+"\xed\xbf\xbf")
	}
	none = append(none, "\ufffe", "\uffff")
	for plane := rune(0x10000); plane <= 0x100000; plane += 0x10000 {
		none = append(none, string(plane+0xfffe), string(plane+0xffff))
	}
	return [][]string{
		{"hello$world", "hello¢world", "hello€world", "hello\U00024b62world", kosme},
		prefixes,
		{"\x00", "\u0080", "\u0800", "\U00010000"},
		{"\xf8\x88\x80\x80\x80", "\xfc\x84\x80\x80\x80\x80"},
		{"\x7f", "\u07ff", "\uffff", "\U0010ffff"},
		{"\xf7\xbf\xbf\xbf", "\xfb\xbf\xbf\xbf\xbf", "\xfd\xbf\xbf\xbf\xbf\xbf"},
		{"\ud7ff", "\ue000", "\ufffd", "\U0010ffff", "\xf4\x90\x80\x80"},
		unexpected,
		lonely,
		incomplete,
		{strings.Join(incomplete, "")},
		{"\xfe", "\xff", "\xfe\xfe\xff\xff"},
		{"\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xf8\x80\x80\x80\xaf", "\xfc\x80\x80\x80\x80\xaf"},
		{"\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xf8\x87\xbf\xbf\xbf", "\xfc\x83\xbf\xbf\xbf\xbf"},
		{"\xc0\x80", "\xe0\x80\x80", "\xf0\x80\x80\x80", "\xf8\x80\x80\x80\x80", "\xfc\x80\x80\x80\x80\x80"},
		{"\xed\xa0\x80", "\xed\xad\xbf", "\xed\xae\x80", "\xed\xaf\xbf", "\xed\xb0\x80", "\xed\xbe\x80", "\xed\xbf\xbf"},
		pairs,
		none,
		{"\ufff9", "\ufffa", "\ufffb", "\ufffc", "\ufffd", "\ufffe", "\uffff"},
	}
}

// Autobahn 6.5 to 6.23, each sequence whole, and then cut in two everywhere: in
// two fragments, and in one frame whose halves arrive apart.
func TestEverySequenceIsJudgedHoweverItIsCut(t *testing.T) {
	for _, e := range engines() {
		for _, compress := range []bool{false, true} {
			v := variant{e, compress}
			t.Run(v.String(), func(t *testing.T) {
				url := start(t, v)
				for i, group := range sequences() {
					for j, seq := range group {
						t.Run(fmt.Sprintf("6.%d.%d", i+5, j+1), func(t *testing.T) { judged(t, url, compress, seq) })
					}
				}
			})
		}
	}
}

// judged sends a sequence in every way, on one connection while it lasts.
func judged(t *testing.T, url string, compress bool, seq string) {
	t.Helper()
	s := enter(t, url, client.Options{Deflate: compress})
	say := func(frames ...[]byte) {
		t.Helper()
		frameByFrame(s, frames...)
		if utf8.ValidString(seq) {
			s.hears(frame.Text, seq)
			return
		}
		s.ends(1007)
		s.Drop()
		s = enter(t, url, client.Options{Deflate: compress})
	}
	say(s.whole(frame.Text, seq))
	say(text(seq))
	for cut := 1; cut < len(seq); cut++ {
		say(begun(seq[:cut]), final(seq[cut:]))
		whole := text(seq)
		head := len(whole) - len(seq)
		say(whole[:head+cut], whole[head+cut:])
	}
	s.leaves()
}
