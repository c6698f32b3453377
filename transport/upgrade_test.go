package transport_test

import (
	"bufio"
	"errors"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/roostgo/roost/transport"
)

// handshake reads a request as net/http does: the sound handshake with the
// lines of edit in place of those of the same name. A line "name:" drops it.
func handshake(t testing.TB, requestLine string, edit ...string) *http.Request {
	t.Helper()
	head := []string{
		"Host: localhost:4000", "Connection: Upgrade", "Upgrade: websocket",
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13",
	}
	for _, line := range edit {
		name, value, _ := strings.Cut(line, ":")
		kept := head[:0:0]
		for _, h := range head {
			if !strings.HasPrefix(h, name+":") || strings.Contains(h, "\r\n") {
				kept = append(kept, h)
			}
		}
		if head = kept; value != "" {
			head = append(head, line)
		}
	}
	text := requestLine + "\r\n" + strings.Join(head, "\r\n") + "\r\n\r\n"
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return r
}

const getHTTP11 = "GET /socket/websocket HTTP/1.1"

func TestASoundHandshakeIsAccepted(t *testing.T) {
	tests := []struct {
		name string
		edit []string
	}{
		{"as RFC 6455 has it", nil},
		{"clause 72: a list in Connection", []string{"Connection: keep-alive, Upgrade"}},
		{"clause 72: two lines of Connection", []string{"Connection: keep-alive\r\nConnection: upgrade"}},
		{"clause 72: mixed case", []string{"Connection: uPGRADE", "Upgrade: WebSocket"}},
		{"clause 72: a list in Upgrade", []string{"Upgrade: h2c,websocket"}},
		{"blanks and empty elements", []string{"Connection: ,, \t upgrade ,"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := transport.CheckUpgrade(handshake(t, getHTTP11, tt.edit...)); err != nil {
				t.Errorf("CheckUpgrade: %v", err)
			}
		})
	}
}

func TestARequestThatIsNoHandshakeIsToldWhy(t *testing.T) {
	tests := []struct {
		name, line   string
		edit         []string
		header, text string
	}{
		{"clause 68: a plain GET", getHTTP11, []string{"Connection:", "Upgrade:", "Sec-WebSocket-Key:", "Sec-WebSocket-Version:"},
			"connection", `'connection' header must contain 'upgrade', got []`},
		{"clause 68: a browser's GET", getHTTP11, []string{"Connection: keep-alive"},
			"connection", `'connection' header must contain 'upgrade', got ["keep-alive"]`},
		{"clause 68: two lines", getHTTP11, []string{"Connection: keep-alive\r\nConnection: x-upgrade"},
			"connection", `'connection' header must contain 'upgrade', got ["keep-alive", "x-upgrade"]`},
		{"clause 68: upgrade with a parameter", getHTTP11, []string{"Connection: upgrade;x"},
			"connection", `'connection' header must contain 'upgrade', got ["upgrade;x"]`},
		{"no Upgrade", getHTTP11, []string{"Upgrade:"}, "upgrade", `'upgrade' header must contain 'websocket', got []`},
		{"another protocol", getHTTP11, []string{"Upgrade: h2c"}, "upgrade", `'upgrade' header must contain 'websocket', got ["h2c"]`},
		{"a protocol of the same length", getHTTP11, []string{"Upgrade: websockex"},
			"upgrade", `'upgrade' header must contain 'websocket', got ["websockex"]`},
		{"a letter that folds to s", getHTTP11, []string{"Upgrade: webſocket"},
			"upgrade", `'upgrade' header must contain 'websocket', got ["webſocket"]`},
		{"clause 70: no key", getHTTP11, []string{"Sec-WebSocket-Key:"}, "sec-websocket-key", `'sec-websocket-key' header is absent`},
		{"a short key", getHTTP11, []string{"Sec-WebSocket-Key: dG9r"},
			"sec-websocket-key", `'sec-websocket-key' header must be 16 bytes in Base64, got ["dG9r"]`},
		{"a key of 17 bytes", getHTTP11, []string{"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAA="},
			"sec-websocket-key", `'sec-websocket-key' header must be 16 bytes in Base64, got ["AAAAAAAAAAAAAAAAAAAAAAA="]`},
		{"a key of 18 bytes", getHTTP11, []string{"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAAA"},
			"sec-websocket-key", `'sec-websocket-key' header must be 16 bytes in Base64, got ["AAAAAAAAAAAAAAAAAAAAAAAA"]`},
		{"a key that is not Base64", getHTTP11, []string{"Sec-WebSocket-Key: !!!!!!!!!!!!!!!!!!!!!!=="},
			"sec-websocket-key", `'sec-websocket-key' header must be 16 bytes in Base64, got ["!!!!!!!!!!!!!!!!!!!!!!=="]`},
		{"two keys", getHTTP11, []string{"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Key: x"},
			"sec-websocket-key", `'sec-websocket-key' header must be 16 bytes in Base64, got ["dGhlIHNhbXBsZSBub25jZQ==", "x"]`},
		{"clause 71: no version", getHTTP11, []string{"Sec-WebSocket-Version:"},
			"sec-websocket-version", `'sec-websocket-version' header must equal '13', got []`},
		{"clause 71: another version", getHTTP11, []string{"Sec-WebSocket-Version: 8"},
			"sec-websocket-version", `'sec-websocket-version' header must equal '13', got ["8"]`},
		{"clause 71: versions in a list", getHTTP11, []string{"Sec-WebSocket-Version: 13, 8"},
			"sec-websocket-version", `'sec-websocket-version' header must equal '13', got ["13, 8"]`},
		{"clause 71: two versions", getHTTP11, []string{"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 13"},
			"sec-websocket-version", `'sec-websocket-version' header must equal '13', got ["13", "13"]`},
		{"no Host", "GET / HTTP/1.1", []string{"Host: "}, "host", `'host' header is absent`},
		{"clause 67: another method", "POST / HTTP/1.1", nil, "", `HTTP method POST unsupported`},
		{"HTTP/1.0", "GET / HTTP/1.0", nil, "", `HTTP version HTTP/1.0 unsupported`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := transport.CheckUpgrade(handshake(t, tt.line, tt.edit...))
			var bad *transport.UpgradeError
			if !errors.As(err, &bad) || bad.Header != tt.header || bad.Error() != tt.text {
				t.Errorf("CheckUpgrade: %v\nwant          %v", err, tt.text)
			}
		})
	}
}

func TestHTTP2HasNoUpgrade(t *testing.T) {
	r := handshake(t, getHTTP11)
	r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/2.0", 2, 0
	if err := transport.CheckUpgrade(r); err == nil || err.Error() != "HTTP version HTTP/2.0 unsupported" {
		t.Errorf("CheckUpgrade: %v", err)
	}
}

func TestARefusalRepeatsLittleOfTheRequest(t *testing.T) {
	r := handshake(t, getHTTP11)
	for range 1000 {
		r.Header.Add("Upgrade", strings.Repeat("é\x00\n", 1000))
	}
	r.Header["Upgrade"] = r.Header["Upgrade"][1:]
	text := transport.CheckUpgrade(r).Error()
	if len(text) > 2000 || !strings.HasSuffix(text, "…]") || !utf8.ValidString(text) || strings.ContainsAny(text, "\x00\n") {
		t.Errorf("the answer has %d bytes: %q", len(text), text)
	}
}

func TestAcceptingAHandshakeDoesNotAllocate(t *testing.T) {
	r := handshake(t, getHTTP11, "Connection: keep-alive, Upgrade")
	if n := testing.AllocsPerRun(100, func() {
		if err := transport.CheckUpgrade(r); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkCheckUpgrade(b *testing.B) {
	r := handshake(b, getHTTP11, "Connection: keep-alive, Upgrade")
	b.ReportAllocs()
	for b.Loop() {
		if err := transport.CheckUpgrade(r); err != nil {
			b.Fatal(err)
		}
	}
}
