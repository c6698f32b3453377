package frame

import (
	"strconv"
	"strings"
	"testing"
)

const (
	accepted = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
	repeated = accepted + "; server_max_window_bits="
)

// granted is the window that an answer promises.
func granted(answer string) uint8 {
	switch answer {
	case "":
		return 0
	case accepted:
		return MaxWindow
	}
	n, _ := strconv.Atoi(strings.TrimPrefix(answer, repeated))
	return uint8(n)
}

func TestOffersOfCompressionAreAnswered(t *testing.T) {
	for _, c := range []struct {
		name   string
		offers []string
		want   string // "" is declined
	}{
		{"no header", nil, ""},
		{"an empty header", []string{""}, ""},
		{"plain", []string{"permessage-deflate"}, accepted},
		{"as browsers offer it", []string{"permessage-deflate; client_max_window_bits"}, accepted},
		{"every parameter", []string{"permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=15; client_max_window_bits=8"}, repeated + "15"},
		{"a client's window", []string{"permessage-deflate;client_max_window_bits=10"}, accepted},
		{"a quoted value", []string{`permessage-deflate; client_max_window_bits="10"`}, accepted},
		{"a quoted value with an escape", []string{`permessage-deflate; client_max_window_bits="\10"`}, accepted},
		{"white space", []string{" permessage-deflate\t; client_max_window_bits = 15 "}, accepted},
		{"the largest server window", []string{"permessage-deflate; server_max_window_bits=15"}, repeated + "15"},
		{"a smaller server window", []string{"permessage-deflate; server_max_window_bits=14"}, repeated + "14"},
		{"the smallest server window", []string{"permessage-deflate; server_max_window_bits=8; client_max_window_bits"}, repeated + "8"},
		{"the first of several offers", []string{"permessage-deflate; server_max_window_bits=10, permessage-deflate"}, repeated + "10"},
		{"behind another extension", []string{"x-other; a=b; c, permessage-deflate"}, accepted},
		{"behind empty elements", []string{",, ,permessage-deflate"}, accepted},
		{"in a second header", []string{"x-other", "permessage-deflate"}, accepted},
		{"in a second header, behind a broken one", []string{"=", "permessage-deflate"}, accepted},
		{"the second offer", []string{"permessage-deflate; server_max_window_bits=7, permessage-deflate"}, accepted},
		{"the second offer behind an unknown parameter", []string{"permessage-deflate; x, permessage-deflate; client_max_window_bits"}, accepted},

		{"another extension", []string{"permessage-bzip2"}, ""},
		{"a longer name", []string{"permessage-deflate-frame"}, ""},
		{"a server window too small", []string{"permessage-deflate; server_max_window_bits=7"}, ""},
		{"a server window too large", []string{"permessage-deflate; server_max_window_bits=16"}, ""},
		{"a server window with a sign", []string{"permessage-deflate; server_max_window_bits=+9"}, ""},
		{"a server window without value", []string{"permessage-deflate; server_max_window_bits"}, ""},
		{"a client window too small", []string{"permessage-deflate; client_max_window_bits=7"}, ""},
		{"a client window too large", []string{"permessage-deflate; client_max_window_bits=16"}, ""},
		{"a leading zero", []string{"permessage-deflate; client_max_window_bits=08"}, ""},
		{"not a number", []string{"permessage-deflate; client_max_window_bits=x"}, ""},
		{"an empty value", []string{"permessage-deflate; client_max_window_bits="}, ""},
		{"an empty quoted value", []string{`permessage-deflate; client_max_window_bits=""`}, ""},
		{"a value for a flag", []string{"permessage-deflate; server_no_context_takeover=1"}, ""},
		{"an empty value for a flag", []string{"permessage-deflate; client_no_context_takeover="}, ""},
		{"a parameter twice", []string{"permessage-deflate; client_max_window_bits=9; client_max_window_bits=10"}, ""},
		{"a flag twice", []string{"permessage-deflate; server_no_context_takeover; server_no_context_takeover"}, ""},
		{"an unknown parameter", []string{"permessage-deflate; foo"}, ""},
		{"a semicolon too many", []string{"permessage-deflate;"}, ""},
		{"words without semicolon", []string{"permessage-deflate client_max_window_bits"}, ""},
		{"an open quote", []string{`permessage-deflate; client_max_window_bits="10`}, ""},
		{"an open escape", []string{`permessage-deflate; client_max_window_bits="10\`}, ""},
		{"a quote that holds no token", []string{`x; a="b c", permessage-deflate`}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			response, window := NegotiateDeflate(c.offers)
			if response != c.want || window != granted(c.want) {
				t.Errorf("got %q, %v; want %q", response, window, c.want)
			}
		})
	}
}

func FuzzNegotiate(f *testing.F) {
	f.Add("permessage-deflate; client_max_window_bits", "")
	f.Add(`x; y="z\"", permessage-deflate; server_max_window_bits="15"`, "permessage-deflate")
	f.Add(",;=\"\\", "\x00\xff")
	f.Fuzz(func(t *testing.T, a, b string) {
		response, window := NegotiateDeflate([]string{a, b})
		if window != granted(response) || window != 0 && (window < 8 || window > MaxWindow) {
			t.Fatalf("%q, %v", response, window)
		}
		if window > 0 && !strings.Contains(a+b, "permessage-deflate") {
			t.Fatalf("%q was not offered", response)
		}
		if strings.HasPrefix(response, repeated) && !strings.Contains(a+b, "server_max_window_bits") {
			t.Fatalf("%q repeats what was not offered", response)
		}
	})
}
