package transport_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/roostgo/roost/transport"
)

const tokenPrefix = "base64url.bearer.phx."

// offering is a header with these Sec-WebSocket-Protocol lines.
func offering(lines ...string) http.Header {
	h := http.Header{}
	for _, line := range lines {
		h.Add("Sec-WebSocket-Protocol", line)
	}
	return h
}

func TestASubprotocolIsNegotiated(t *testing.T) {
	tests := []struct {
		name      string
		supported []string
		header    http.Header
		want      string
		ok        bool
	}{
		{"clause 78: the server's order decides", []string{"a", "b"}, offering("b, a"), "a", true},
		{"clause 78: the first that was offered", []string{"x", "b", "a"}, offering("a,b"), "b", true},
		{"clause 78: blanks and empty elements", []string{"a"}, offering(" ,, \ta , "), "a", true},
		{"clause 79: none in common", []string{"a", "b"}, offering("c, d"), "", false},
		{"clause 79: another case", []string{"a"}, offering("A"), "", false},
		{"clause 79: a part of a name", []string{"phoenix"}, offering("phoenix2, pho"), "", false},
		{"clause 79: a header without elements", []string{"a"}, offering(""), "", false},
		{"clause 79: an empty list supports nothing", []string{}, offering("a"), "", false},
		{"clause 80: no header", []string{"a", "b"}, nil, "", true},
		{"clause 80: no header and an empty list", []string{}, http.Header{}, "", true},
		{"clauses 81 and 83: not configured", nil, offering("a, b"), "", true},
		{"clause 83: not configured, no header", nil, nil, "", true},
		{"only the first line counts", []string{"b", "a"}, offering("a", "b"), "a", true},
		{"only the first line counts, also against", []string{"b"}, offering("a", "b"), "", false},
		{"only the first line counts, even an empty one", []string{"b"}, offering("", "b"), "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := transport.Select(tt.supported, transport.Offered(tt.header))
			if got != tt.want || ok != tt.ok {
				t.Errorf("Select = %q, %v; want %q, %v", got, ok, tt.want, tt.ok)
			}
		})
	}
}

// TestTheAuthTokenIsTakenOutOfTheOffer follows a request through both steps, as
// the table of [§4.6] does.
func TestTheAuthTokenIsTakenOutOfTheOffer(t *testing.T) {
	const tok = tokenPrefix + "dG9r"
	tests := []struct {
		name     string
		header   http.Header
		token    string
		found    bool
		selected string
		ok       bool
	}{
		{"clause 58: phoenix and a token", offering("phoenix, " + tok), "tok", true, "phoenix", true},
		{"clause 58: a token and phoenix", offering(tok + ",phoenix"), "tok", true, "phoenix", true},
		{"clause 60: only phoenix", offering("phoenix"), "", false, "phoenix", true},
		{"clause 61: nothing offered", nil, "", false, "", true},
		{"clause 62: only the token", offering(tok), "tok", true, "", true},
		{"clause 63: two tokens", offering(tok + ", phoenix, " + tok), "", false, "phoenix", true},
		{"clause 63: two tokens alone", offering(tok + ", " + tok), "", false, "", false},
		{"clause 64: another protocol", offering("other"), "", false, "", false},
		{"clause 64: another protocol and a token", offering("other, " + tok), "tok", true, "", false},
		{"a header without elements", offering(""), "", false, "", false},
		{"a token in a further line", offering("phoenix", tok), "", false, "phoenix", true},
		{"the prefix in another case", offering("phoenix, BASE64URL.bearer.phx.dG9r"), "", false, "phoenix", true},
		{"an empty token", offering("phoenix, " + tokenPrefix), "", true, "phoenix", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			token, found, rest, err := transport.AuthToken(tt.header)
			if token != tt.token || found != tt.found || err != nil {
				t.Errorf("AuthToken = %q, %v, %v; want %q, %v", token, found, err, tt.token, tt.found)
			}
			selected, ok := transport.Select([]string{transport.PhoenixProtocol}, rest)
			if selected != tt.selected || ok != tt.ok {
				t.Errorf("Select = %q, %v; want %q, %v", selected, ok, tt.selected, tt.ok)
			}
		})
	}
}

func TestConfiguredProtocolsComeAfterPhoenix(t *testing.T) {
	_, _, rest, err := transport.AuthToken(offering("mine, " + tokenPrefix + "dG9r"))
	selected, ok := transport.Select([]string{transport.PhoenixProtocol, "mine"}, rest)
	if err != nil || selected != "mine" || !ok {
		t.Errorf("Select = %q, %v, %v; want mine", selected, ok, err)
	}
}

func TestTheRestOfAnOfferKeepsItsOrder(t *testing.T) {
	_, _, rest, _ := transport.AuthToken(offering("a, " + tokenPrefix + "dG9r, b,c"))
	if !slices.Equal(rest, []string{"a", "b", "c"}) {
		t.Errorf("rest is %q", rest)
	}
}

func TestTokensAreReadInBothAlphabetsPaddedOrNot(t *testing.T) { // clause 59
	for _, token := range []string{"", "t", "to", "tok", "toke", "a b?c>d~ÿ", "\xfb\xff\xbf\xfe", "\x00\xff\n", strings.Repeat("\xff\xef", 2000)} {
		for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
			text := enc.EncodeToString([]byte(token))
			got, found, rest, err := transport.AuthToken(offering("phoenix, " + tokenPrefix + text))
			if got != token || !found || err != nil || !slices.Equal(rest, []string{"phoenix"}) {
				t.Errorf("AuthToken(%q) = %q, %v, %q, %v", text, got, found, rest, err)
			}
		}
	}
}

func TestATokenThatIsNotBase64IsRefused(t *testing.T) {
	for _, text := range []string{"!", "a", "dG9rd", "dG9r=", "dG9r====", "dG=r", "d===", "=", "dG9 r", "dG\n9r", "\r", "dG9r\x00", "dä9r"} {
		token, found, rest, err := transport.AuthToken(offering("phoenix, " + tokenPrefix + text))
		if !errors.Is(err, transport.ErrBadToken) || found || token != "" || rest != nil {
			t.Errorf("AuthToken(%q) = %q, %v, %q, %v; want ErrBadToken", text, token, found, rest, err)
		}
	}
}

func TestOneOfTwoBadTokensIsNotRead(t *testing.T) { // clause 63
	_, found, _, err := transport.AuthToken(offering(tokenPrefix + "!, phoenix, " + tokenPrefix + "!"))
	if found || err != nil {
		t.Errorf("found %v, %v", found, err)
	}
}

func TestTakingATokenLeavesTheHeaderAlone(t *testing.T) {
	line := tokenPrefix + "dG9r, phoenix"
	h := offering(line)
	if _, _, _, err := transport.AuthToken(h); err != nil || h.Get("Sec-WebSocket-Protocol") != line {
		t.Errorf("the header is %q, %v", h, err)
	}
}

func FuzzAuthToken(f *testing.F) {
	for _, seed := range []string{
		"", "phoenix", "phoenix, " + tokenPrefix + "dG9r", tokenPrefix, tokenPrefix + "-_+/", tokenPrefix + "dG8=",
		tokenPrefix + "a," + tokenPrefix + "b", ",, ,", tokenPrefix + "dG9r\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		h := offering(line)
		offered := transport.Offered(h)
		token, found, rest, err := transport.AuthToken(h)
		tokens := slices.DeleteFunc(slices.Clone(offered), func(e string) bool { return !strings.HasPrefix(e, tokenPrefix) })
		switch {
		case err != nil:
			if !errors.Is(err, transport.ErrBadToken) || found || len(tokens) != 1 {
				t.Errorf("AuthToken(%q): %v", line, err)
			}
		case found != (len(tokens) == 1):
			t.Errorf("AuthToken(%q) found %v in %q", line, found, tokens)
		case found:
			checkToken(t, token, strings.TrimPrefix(tokens[0], tokenPrefix))
			if len(rest) != len(offered)-1 || slices.Contains(rest, tokens[0]) {
				t.Errorf("AuthToken(%q) leaves %q", line, rest)
			}
		case !slices.Equal(rest, offered):
			t.Errorf("AuthToken(%q) leaves %q of %q", line, rest, offered)
		}
	})
}

// checkToken fails unless text stands for token, by the standard library's word.
func checkToken(t *testing.T, token, text string) {
	t.Helper()
	digits := strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(text), "=")
	want, err := base64.RawURLEncoding.DecodeString(digits)
	if err != nil || string(want) != token {
		t.Errorf("%q stands for %q (%v), not %q", text, want, err, token)
	}
}

func BenchmarkAuthToken(b *testing.B) {
	h := offering("phoenix, " + tokenPrefix + base64.RawStdEncoding.EncodeToString(make([]byte, 300)))
	b.ReportAllocs()
	for b.Loop() {
		if _, found, _, err := transport.AuthToken(h); !found || err != nil {
			b.Fatal(err)
		}
	}
}
