package hostile

import (
	"crypto/tls"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/transport/websocket"
)

// secured builds a fort that is entered through TLS.
func secured(t *testing.T, s *roost.TLS) *fort {
	t.Helper()
	return behind(t, &roost.Server{TLS: s}, websocket.Config{})
}

// bears checks that records are put up with: a ping behind them is answered.
func (f *fort) bears(t *testing.T, sent func(g *forger) []byte) {
	t.Helper()
	c, g := f.forge(t)
	if _, err := g.raw.Write(sent(g)); err != nil {
		t.Fatal(err)
	}
	if err := c.Ping("still here"); err != nil {
		t.Fatal(err)
	}
	c.ExpectPong(t, "still here")
	c.Drop()
	f.stands(t)
}

// alerts checks that records end their connection with an alert.
func (f *fort) alerts(t *testing.T, sent func(g *forger) []byte, alert string) {
	t.Helper()
	c, g := f.forge(t)
	go func() { _, _ = g.raw.Write(sent(g)) }() // ends when all is read, or with the connection
	if m, err := c.Read(patience); err == nil || !strings.Contains(err.Error(), "remote error: tls: "+alert) {
		t.Errorf("got %v, %v, want the alert %q", m, err, alert)
	}
	c.Drop()
	f.stands(t)
}

// times is what n calls make.
func times(n int, f func() []byte) (all []byte) {
	for range n {
		all = append(all, f()...)
	}
	return all
}

// A key update costs hashes, and another record when it asks for one of ours.
func TestFloodsOfKeyUpdatesAreCut(t *testing.T) {
	f := secured(t, new(roost.TLS))
	ping := frame.AppendMasked(nil, true, 0, frame.Pong, [4]byte{}, nil) // a pong, which is not answered
	for _, ask := range []bool{false, true} {
		updates := func(n int) func(g *forger) []byte {
			return func(g *forger) []byte { return times(n, func() []byte { return g.update(ask) }) }
		}
		between := func(n int) func(g *forger) []byte { // data
			return func(g *forger) []byte {
				return times(n, func() []byte { return append(g.update(ask), g.record(dataRecord, ping, 0)...) })
			}
		}
		for _, flood := range []func(n int) func(g *forger) []byte{updates, between} {
			f.bears(t, flood(16))
			f.alerts(t, flood(17), "unexpected message")
			f.alerts(t, flood(1000), "unexpected message")
		}
	}
}

// Updates that are empty, have something behind them, announce more, or are
// interrupted.
func TestKeyUpdatesInPiecesAreBounded(t *testing.T) {
	f := secured(t, new(roost.TLS))
	f.alerts(t, func(g *forger) []byte { return g.record(handshakeRecord, nil, 0) }, "unexpected message")
	f.alerts(t, func(g *forger) []byte { return g.record(handshakeRecord, []byte{24, 0, 0, 1, 0, 24}, 0) }, "unexpected message")
	f.alerts(t, func(g *forger) []byte { return g.record(handshakeRecord, []byte{24, 0xff, 0xff, 0xff}, 0) }, "error decoding message")
	f.alerts(t, func(g *forger) []byte {
		return append(g.record(handshakeRecord, []byte{24}, 0), g.record(dataRecord, []byte("data"), 0)...)
	}, "unexpected message")
}

// A record with nothing in it costs as much as one with 16 KiB.
func TestFloodsOfRecordsWithoutDataAreCut(t *testing.T) {
	f := secured(t, new(roost.TLS))
	const most = 1 << 14
	for name, padding := range map[string]int{"empty": 0, "padding": most} {
		t.Run(name, func(t *testing.T) {
			records := func(n int) func(g *forger) []byte {
				return func(g *forger) []byte {
					return times(n, func() []byte { return g.record(dataRecord, nil, padding) })
				}
			}
			f.bears(t, records(16))
			f.alerts(t, records(17), "unexpected message")
			f.alerts(t, records(1000), "unexpected message")
		})
	}
	t.Run("without a type", func(t *testing.T) {
		f.alerts(t, func(g *forger) []byte { return g.record(0, nil, most) }, "unexpected message")
	})
	t.Run("too much padding", func(t *testing.T) {
		f.alerts(t, func(g *forger) []byte { return g.record(dataRecord, nil, most+1) }, "record overflow")
	})
}

// Who begins a handshake and does not end it has a place for as long as one may
// take; who comes after them waits for that.
func TestHandshakesThatDoNotEndAreCut(t *testing.T) {
	f := secured(t, &roost.TLS{Handshakes: 8, HandshakeTimeout: time.Second})
	hello := clientHello(t)
	var attackers sync.WaitGroup
	for range 6 {
		for _, begin := range []string{"", "\x16", hello[:len(hello)/2], hello} { // the last one does not answer the ServerHello
			nc, err := net.Dial("tcp", f.address)
			if err != nil {
				t.Fatal(err)
			}
			_ = nc.SetDeadline(time.Now().Add(patience))
			_, _ = io.WriteString(nc, begin)
			attackers.Go(func() { awaitCut(t, nc, begin) }) // ends with the server, or with patience
		}
	}
	f.stands(t)
	for late := time.Now().Add(patience); ; { // a newcomer, which may take too long itself
		err := f.knock()
		if err == nil {
			break
		}
		if time.Now().After(late) {
			t.Fatalf("a newcomer: %v", err)
		}
	}
	attackers.Wait()
	f.stands(t)
}

// A handshake costs the server about what it costs the client, or, if that
// never meant to have one, much more.
func TestFloodsOfHandshakesLeaveOthersAlone(t *testing.T) {
	const clients, each = 4, 150
	hello := clientHello(t)
	for name, strike := range map[string]func(f *fort) error{
		"whole": func(f *fort) error {
			nc, err := f.connect()
			if err == nil {
				vanish(nc)
			}
			return err
		},
		"a ClientHello only": func(f *fort) error {
			nc, err := net.Dial("tcp", f.address)
			if err != nil {
				return err
			}
			defer vanish(nc)
			_ = nc.SetDeadline(time.Now().Add(patience))
			_, _ = io.WriteString(nc, hello)
			_, err = nc.Read(make([]byte, 1)) // the server has done its part
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := secured(t, new(roost.TLS))
			var attackers sync.WaitGroup
			for range clients {
				attackers.Go(func() { // ends after so many
					for range each {
						if err := strike(f); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			attackers.Wait()
			f.stands(t)
		})
	}
}

// clientHello is what a client begins a handshake with.
func clientHello(t *testing.T) string {
	t.Helper()
	c, s := net.Pipe()
	defer c.Close()
	go func() { // ends with the pipe
		_ = tls.Client(c, &tls.Config{ServerName: "roost.example", MinVersion: tls.VersionTLS13}).Handshake()
	}()
	b := make([]byte, 1<<14)
	n, err := s.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

// Garbage in place of a handshake, and of a record after it.
func TestBytesThatAreNoTLSEndTheirConnection(t *testing.T) {
	f := secured(t, new(roost.TLS))
	const alert = "\x15\x03\x01\x00\x02\x02" // and its number
	for sent, want := range map[string]string{
		"\x00":                                  "",
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n":     "HTTP/1.0 400 ",
		"\x17\x03\x03\x00\x01x":                 "",
		"\x16\x03\x01\x00\x04\x02\x00\x00\x00":  alert + "\x32", // half a ServerHello: decode_error
		"\x16\x03\x01\xff\xff" + repeat("x", 9): alert + "\x16", // record_overflow
		"\x16\x03\x01\x00\x04\x01\xff\xff\xff":  alert,          // a ClientHello of 16 MiB
		"\x80\x2e\x01\x03\x01":                  alert + "\x46", // SSL 2: protocol_version
	} {
		nc, err := net.Dial("tcp", f.address)
		if err != nil {
			t.Fatal(err)
		}
		_ = nc.SetDeadline(time.Now().Add(patience))
		_, _ = io.WriteString(nc, sent)
		_ = nc.(*net.TCPConn).CloseWrite()
		got, _ := io.ReadAll(nc) // or a reset
		if !strings.HasPrefix(string(got), want) || want == "" && len(got) > 0 {
			t.Errorf("%.30q: got %.60q, want %q", sent, got, want)
		}
		_ = nc.Close()
	}
	for name, sent := range map[string]string{
		"a forged record": "\x17\x03\x03\x00\x20" + repeat("x", 32), "no record": "GET / HTTP/1.1\r\n\r\n", "too long": "\x17\x03\x03\xff\xff",
	} {
		alert := map[string]string{"a forged record": "bad record MAC", "no record": "unexpected message", "too long": "record overflow"}[name]
		f.alerts(t, func(*forger) []byte { return []byte(sent) }, alert)
	}
}
