package proxyproto_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"

	"github.com/roostgo/roost/internal/proxyproto"
)

const signature = "\r\n\r\n\x00\r\nQUIT\n"

// block is a header of version 2.
func block(versionCommand, protocol byte, body string) string {
	size := binary.BigEndian.AppendUint16(nil, uint16(len(body))) //nolint:gosec // a test's own
	return signature + string([]byte{versionCommand, protocol}) + string(size) + body
}

const (
	inet  = "\xcb\x00\x71\x09\x0a\x00\x00\x01\x30\x39\x0f\xa0" // 203.0.113.9:12345 to 10.0.0.1:4000
	inet6 = "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01" +
		"\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x30\x39\x0f\xa0"
	mapped = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xcb\x00\x71\x09" +
		"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x0a\x00\x00\x01\x30\x39\x0f\xa0"
	tlv = "\x04\x00\x03abc" // PP2_TYPE_NOOP
)

func TestHeadersNameTheClient(t *testing.T) {
	for _, tt := range []struct{ name, header, want string }{
		{"1: IPv4", "PROXY TCP4 203.0.113.9 10.0.0.1 12345 4000\r\n", "203.0.113.9:12345"},
		{"1: IPv6", "PROXY TCP6 2001:db8::1 fd00::1 12345 4000\r\n", "[2001:db8::1]:12345"},
		{"1: the shortest", "PROXY UNKNOWN\r\n", ""},
		{"1: unknown, with addresses", "PROXY UNKNOWN ffff::1 ffff::1 65535 65535\r\n", ""},
		{"1: the longest", "PROXY UNKNOWN" + strings.Repeat(" ", 92) + "\r\n", ""},
		{"1: port 0", "PROXY TCP4 203.0.113.9 10.0.0.1 0 0\r\n", "203.0.113.9:0"},
		{"2: IPv4", block(0x21, 0x11, inet), "203.0.113.9:12345"},
		{"2: IPv6", block(0x21, 0x21, inet6), "[2001:db8::1]:12345"},
		{"2: IPv4 in IPv6", block(0x21, 0x21, mapped), "203.0.113.9:12345"},
		{"2: TLVs", block(0x21, 0x11, inet+tlv+tlv), "203.0.113.9:12345"},
		{"2: the largest", block(0x21, 0x11, inet+strings.Repeat("x", 4096-len(inet))), "203.0.113.9:12345"},
		{"2: local", block(0x20, 0x00, ""), ""},
		{"2: local, with what does not count", block(0x20, 0xff, inet+tlv), ""},
		{"2: no family", block(0x21, 0x00, tlv), ""},
		{"2: a Unix socket", block(0x21, 0x31, strings.Repeat("/", 216)), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := strings.NewReader(tt.header + "GET / HTTP/1.1")
			var want netip.AddrPort
			if tt.want != "" {
				want = netip.MustParseAddrPort(tt.want)
			}
			if got, err := proxyproto.Read(r); err != nil || got != want {
				t.Errorf("got %v, %v, want %v", got, err, want)
			}
			if rest, _ := io.ReadAll(r); string(rest) != "GET / HTTP/1.1" {
				t.Errorf("the next reader gets %q", rest)
			}
			for cut := range len(tt.header) { // whatever is missing, it is no header
				if got, err := proxyproto.Read(strings.NewReader(tt.header[:cut])); err == nil {
					t.Fatalf("after %d bytes: got %v", cut, got)
				}
			}
		})
	}
}

func TestWhatIsNoHeaderIsRefused(t *testing.T) {
	for name, header := range map[string]string{
		"HTTP":                     "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"TLS":                      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00\x00\x00",
		"1: lower case":            "proxy TCP4 203.0.113.9 10.0.0.1 12345 4000\r\n",
		"1: no CR":                 "PROXY TCP4 203.0.113.9 10.0.0.1 12345 4000\n",
		"1: endless":               "PROXY UNKNOWN" + strings.Repeat(" ", 93) + "\r\n",
		"1: another protocol":      "PROXY UDP4 203.0.113.9 10.0.0.1 12345 4000\r\n",
		"1: two blanks":            "PROXY TCP4  203.0.113.9 10.0.0.1 12345 4000\r\n",
		"1: too few fields":        "PROXY TCP4 203.0.113.9 10.0.0.1 12345\r\n",
		"1: too many fields":       "PROXY TCP4 203.0.113.9 10.0.0.1 12345 4000 1\r\n",
		"1: a name":                "PROXY TCP4 localhost 10.0.0.1 12345 4000\r\n",
		"1: the other family":      "PROXY TCP4 2001:db8::1 fd00::1 12345 4000\r\n",
		"1: the other family's IP": "PROXY TCP6 203.0.113.9 10.0.0.1 12345 4000\r\n",
		"1: a zone":                "PROXY TCP6 fe80::1%lo fd00::1 12345 4000\r\n",
		"1: a port too large":      "PROXY TCP4 203.0.113.9 10.0.0.1 65536 4000\r\n",
		"1: an octal port":         "PROXY TCP4 203.0.113.9 10.0.0.1 012 4000\r\n",
		"1: a signed port":         "PROXY TCP4 203.0.113.9 10.0.0.1 +12 4000\r\n",
		"1: the other end's port":  "PROXY TCP4 203.0.113.9 10.0.0.1 12345 x\r\n",
		"1: the other end":         "PROXY TCP4 203.0.113.9 x 12345 4000\r\n",
		"1: unknown and more":      "PROXY UNKNOWNS\r\n",
		"2: version 1":             block(0x11, 0x11, inet),
		"2: version 3":             block(0x31, 0x11, inet),
		"2: command 2":             block(0x22, 0x11, inet),
		"2: family 4":              block(0x21, 0x41, inet),
		"2: transport 3":           block(0x21, 0x13, inet),
		"2: datagrams":             block(0x21, 0x12, inet),
		"2: no room for addresses": block(0x21, 0x11, inet[:11]),
		"2: IPv4 that says IPv6":   block(0x21, 0x21, inet),
		"2: over the bound":        block(0x21, 0x11, inet+strings.Repeat("x", 4097-len(inet))),
	} {
		if got, err := proxyproto.Read(strings.NewReader(header)); !errors.Is(err, proxyproto.ErrBadHeader) {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
}

// FuzzRead tries whatever begins a connection.
func FuzzRead(f *testing.F) {
	f.Add([]byte("PROXY TCP4 203.0.113.9 10.0.0.1 12345 4000\r\nGET"))
	f.Add([]byte("PROXY UNKNOWN\r\n"))
	f.Add([]byte(block(0x21, 0x11, inet+tlv)))
	f.Add([]byte(block(0x21, 0x21, inet6)))
	f.Add([]byte(block(0x20, 0x00, "")))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := bytes.NewReader(data)
		got, err := proxyproto.Read(r)
		read := len(data) - r.Len()
		if read > 16+4096 {
			t.Fatalf("it read %d bytes", read)
		}
		if err != nil {
			return
		}
		if a := got.Addr(); a.Is4In6() || a.Zone() != "" {
			t.Errorf("got %v", got)
		}
		if again, err := proxyproto.Read(bytes.NewReader(data[:read])); err != nil || again != got {
			t.Errorf("what it read alone: got %v, %v, want %v", again, err, got)
		}
		if data[0] == 'P' && !bytes.HasSuffix(data[:read], []byte("\r\n")) {
			t.Errorf("a line ends in %q", data[read-1])
		}
	})
}

// FuzzLine and FuzzBlock try every address that there is, in both versions.
func FuzzLine(f *testing.F) {
	f.Add([]byte{203, 0, 113, 9}, uint16(1))
	f.Add(make([]byte, 16), uint16(65535))
	f.Fuzz(func(t *testing.T, address []byte, port uint16) {
		source, ok := netip.AddrFromSlice(address)
		if !ok {
			return
		}
		family := 4
		if source.Is6() {
			family = 6
		}
		line := fmt.Sprintf("PROXY TCP%d %s %s %d 1\r\n", family, source, source, port)
		expect(t, line, netip.AddrPortFrom(source.Unmap(), port))
	})
}

func FuzzBlock(f *testing.F) {
	f.Add([]byte{203, 0, 113, 9}, uint16(1), []byte(tlv))
	f.Add(make([]byte, 16), uint16(65535), []byte{})
	f.Fuzz(func(t *testing.T, address []byte, port uint16, more []byte) {
		source, ok := netip.AddrFromSlice(address)
		if !ok || len(more) > 1000 {
			return
		}
		protocol := byte(0x11)
		if source.Is6() {
			protocol = 0x21
		}
		body := append(append([]byte(nil), address...), address...)
		body = binary.BigEndian.AppendUint16(body, port)
		body = append(append(body, 0, 1), more...)
		expect(t, block(0x21, protocol, string(body)), netip.AddrPortFrom(source.Unmap(), port))
	})
}

func expect(t *testing.T, header string, want netip.AddrPort) {
	t.Helper()
	if got, err := proxyproto.Read(strings.NewReader(header)); err != nil || got != want {
		t.Errorf("%q: got %v, %v, want %v", header, got, err, want)
	}
}
