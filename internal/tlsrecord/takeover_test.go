package tlsrecord

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"
)

// isTaken reports whether a connection was taken over.
func isTaken(c net.Conn) bool { _, ok := c.(*Conn); return ok }

func (s *stage) goodbye(c *tls.Conn) {
	s.t.Helper()
	if err := c.CloseWrite(); err != nil {
		s.t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) { // crypto/tls: close_notify, and nothing else
		s.t.Fatalf("%d bytes, %v", n, err)
	}
	_ = c.Close()
}

var large = bytes.Repeat([]byte("large "), 200_000)

func TestConnectionsOfTLS13AreTakenOver(t *testing.T) {
	for name, change := range map[string]func(server, client *tls.Config){
		"without resumption": nil,
		"with a ticket":      func(_, client *tls.Config) { client.ClientSessionCache = tls.NewLRUClientSessionCache(1) },
		"without tickets": func(server, client *tls.Config) {
			server.SessionTicketsDisabled, client.ClientSessionCache = true, tls.NewLRUClientSessionCache(1)
		},
		"HelloRetryRequest":  func(server, _ *tls.Config) { server.CurvePreferences = []tls.CurveID{tls.CurveP384} },
		"client certificate": func(server, client *tls.Config) { mutual(server, client) },
		"chosen for the client": func(server, _ *tls.Config) {
			chosen := server.Clone()
			server.Certificates = nil
			server.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return chosen, nil }
		},
		"chosen as it is": func(server, _ *tls.Config) {
			server.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, nil } //nolint:nilnil // crypto/tls says so
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, change)
			c, carrier := s.dial(s.client, nil)
			if !isTaken(carrier) {
				t.Fatalf("carried by %T", carrier)
			}
			for _, m := range [][]byte{[]byte("hello"), nil, []byte("x"), large} {
				s.echoes(c, m)
			}
			s.goodbye(c)
		})
	}
}

// mutual asks the client for a certificate: it has the server's.
func mutual(server, client *tls.Config) {
	client.Certificates = server.Certificates
	server.ClientCAs, server.ClientAuth = client.RootCAs, tls.RequireAndVerifyClientCert
}

func TestTheFactsOfTheHandshakeAreKept(t *testing.T) {
	s := newStage(t, func(server, client *tls.Config) {
		mutual(server, client)
		server.NextProtos, client.NextProtos = []string{"http/1.1"}, []string{"http/1.1"}
	})
	_, carrier := s.dial(s.client, nil)
	facts := carrier.(*Conn).ConnectionState()
	if len(facts.PeerCertificates) != 1 || facts.NegotiatedProtocol != "http/1.1" || facts.ServerName != "localhost" || !facts.HandshakeComplete {
		t.Errorf("%+v", facts)
	}
}

func TestSessionsAreResumed(t *testing.T) {
	for name, change := range map[string]func(server, client *tls.Config){
		"as usual": func(*tls.Config, *tls.Config) {}, "mutual": mutual,
		"own ticket keys": func(server, _ *tls.Config) { server.SetSessionTicketKeys([][32]byte{{1}}) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, func(server, client *tls.Config) {
				client.ClientSessionCache = tls.NewLRUClientSessionCache(4)
				change(server, client)
			})
			for i := range 4 {
				c, carrier := s.dial(s.client, nil)
				s.echoes(c, []byte("the ticket comes with this"))
				if did := c.ConnectionState().DidResume; did != (i > 0) || carrier.(*Conn).ConnectionState().DidResume != did {
					t.Errorf("connection %d: resumed %v", i, did)
				}
				s.goodbye(c)
			}
		})
	}
}

func TestTLS12IsLeftToCryptoTLS(t *testing.T) {
	s := newStage(t, func(_, client *tls.Config) { client.MaxVersion = tls.VersionTLS12 })
	c, carrier := s.dial(s.client, nil)
	if _, ok := carrier.(*tls.Conn); !ok {
		t.Errorf("carried by %T", carrier)
	}
	s.echoes(c, []byte("hello"))
	s.echoes(c, large)
	s.goodbye(c)
}

// choppy sends in small pieces.
type choppy struct {
	net.Conn
	r *rand.Rand
}

func (c choppy) Write(p []byte) (n int, err error) {
	for _, piece := range chop(c.r, p, 1+c.r.IntN(200)) {
		m, err := c.Conn.Write(piece)
		if n += m; err != nil {
			return n, err
		}
	}
	return n, nil
}

func TestRecordsMayComeInPieces(t *testing.T) {
	s := newStage(t, nil)
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		c, carrier := s.dial(s.client, func(nc net.Conn) net.Conn { return choppy{nc, r} })
		if !isTaken(carrier) {
			t.Fatalf("carried by %T", carrier)
		}
		s.echoes(c, large[:r.IntN(40_000)])
		s.goodbye(c)
	}
}

// hasty holds what it is to send until it is told to let go.
type hasty struct {
	net.Conn
	hold bool
	kept []byte
}

func (h *hasty) Write(p []byte) (int, error) {
	if !h.hold && !bytes.HasPrefix(p, []byte{20, 3, 3}) && len(p) > 0 && p[0] != 23 { // the ClientHello
		return h.Conn.Write(p)
	}
	h.hold = true
	h.kept = append(h.kept, p...)
	return len(p), nil
}

// What comes in one segment with the client's Finished, whole records and a
// part of one, is neither lost nor read by crypto/tls.
func TestWhatComesWithTheHandshakeIsKept(t *testing.T) {
	s := newStage(t, nil)
	nc, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	h := &hasty{Conn: nc}
	c := tls.Client(h, s.client)
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	for range 30 {
		if _, err := c.Write([]byte("early ")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := nc.Write(h.kept[:len(h.kept)-10]); err != nil {
		t.Fatal(err)
	}
	if !isTaken(s.next()) {
		t.Fatal("not taken over")
	}
	if _, err := nc.Write(h.kept[len(h.kept)-10:]); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 30*len("early "))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != strings.Repeat("early ", 30) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestAClientThatDoesNotSpeakTLSIsTold(t *testing.T) {
	s := newStage(t, nil)
	for _, said := range []string{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\x80\x2e\x01\x00\x02", "\x16\x03\x01\xff\xffxx"} {
		nc, err := net.Dial("tcp", s.address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := nc.Write([]byte(said)); err != nil {
			t.Fatal(err)
		}
		err = <-s.failed
		if _, ok := errors.AsType[tls.RecordHeaderError](err); !ok {
			t.Errorf("%q: %v", said, err)
		}
		_ = nc.Close()
	}
}

func TestAClientThatLeavesDuringTheHandshakeIsNoticed(t *testing.T) {
	s := newStage(t, nil)
	for _, said := range []string{"", "\x16", "\x16\x03\x01\x00\x05hel"} {
		nc, err := net.Dial("tcp", s.address)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = nc.Write([]byte(said))
		_ = nc.Close()
		if err := <-s.failed; !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%q: %v", said, err)
		}
	}
}

func TestTheUsersKeyLogIsWrittenAndNothingElseIs(t *testing.T) {
	var log bytes.Buffer
	s := newStage(t, func(server, _ *tls.Config) { server.KeyLogWriter = &log })
	c, carrier := s.dial(s.client, nil)
	s.goodbye(c)
	if !isTaken(carrier) || strings.Count(log.String(), "_TRAFFIC_SECRET") != 4 {
		t.Errorf("%T, %s", carrier, log.String())
	}
}

// recorded is what crypto/tls sends during a handshake, and its secrets.
func recorded(t *testing.T) (log keyLog, suite Suite, sent []byte) {
	t.Helper()
	cert, pool := certificate(t)
	server, client := net.Pipe()
	done := make(chan error, 1)
	go func() { // ends with the handshake
		c := tls.Client(client, &tls.Config{
			RootCAs: pool, ServerName: "localhost", MinVersion: tls.VersionTLS13, ClientSessionCache: tls.NewLRUClientSessionCache(1),
		})
		err := c.Handshake()
		_, _ = c.Read(make([]byte, 1)) // takes the ticket; ends with the pipe
		done <- err
	}()
	w := &witness{Conn: server}
	c := tls.Server(w, NewServer(&tls.Config{Certificates: []tls.Certificate{cert}}, 1).config)
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	_, _ = server.Close(), client.Close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return w.log, Suite(c.ConnectionState().CipherSuite), w.sent
}

func recordsOf(b []byte) (records [][]byte) {
	for len(b) > 0 {
		n := HeaderSize + payloadSize(b)
		records, b = append(records, b[:n:n]), b[n:]
	}
	return records
}

func TestAPositionIsProved(t *testing.T) {
	log, suite, sent := recorded(t)
	at := func(sent []byte) (uint64, bool) {
		return position(suite, log.handshake.bytes(), log.server.bytes(), sent)
	}
	if n, ok := at(slices.Clone(sent)); !ok || n != 1 { // one session ticket
		t.Fatalf("%d, %v", n, ok)
	}
	records := recordsOf(sent)
	first := slices.IndexFunc(records, func(r []byte) bool { return contentType(r[0]) == applicationData })
	for name, other := range map[string][]byte{
		"nothing":                            nil,
		"a record twice":                     slices.Concat(sent, records[len(records)-1]),
		"part of a record":                   sent[:len(sent)-1],
		"part of a header":                   append(slices.Clone(sent), 23),
		"a record of nobody":                 append(slices.Clone(sent), 23, 3, 3, 0, 17, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17),
		"an alert":                           append(slices.Clone(sent), 21, 3, 3, 0, 2, 2, 40),
		"the first sealed record is missing": join(slices.Delete(slices.Clone(records), first, first+1)...),
	} {
		if n, ok := at(other); ok {
			t.Errorf("%s: %d is proved", name, n)
		}
	}
	if n, ok := position(suite, log.server.bytes(), log.handshake.bytes(), sent); ok {
		t.Errorf("with the secrets exchanged: %d is proved", n)
	}
}

func TestWhatIsNotBeyondDoubtIsNotTakenOver(t *testing.T) {
	log, suite, sent := recorded(t)
	facts := tls.ConnectionState{Version: tls.VersionTLS13, CipherSuite: uint16(suite)}
	for name, spoil := range map[string]func(w *witness){
		"a secret is missing":     func(w *witness) { w.log.client.n = 0 },
		"a secret was told twice": func(w *witness) { _, _ = w.log.Write([]byte("CLIENT_TRAFFIC_SECRET_0 00 00\n")) },
		"a secret is too long": func(w *witness) {
			w.log.client.n = 0
			_, _ = w.log.Write([]byte("CLIENT_TRAFFIC_SECRET_0 00 " + strings.Repeat("0", 98) + "\n"))
		},
		"a secret is another":         func(w *witness) { w.log.server.b[0]++ },
		"a record is left half read":  func(w *witness) { w.feed = 1 },
		"a record is not what it was": func(w *witness) { w.sent[len(w.sent)-1]++ },
	} {
		w := &witness{log: log, sent: slices.Clone(sent)}
		if spoil(w); w.takeOver(facts) != nil {
			t.Errorf("%s: taken over", name)
		}
	}
	w := &witness{log: log, sent: sent}
	if w.takeOver(tls.ConnectionState{Version: tls.VersionTLS12, CipherSuite: uint16(suite)}) != nil {
		t.Error("TLS 1.2: taken over")
	}
	if w.takeOver(facts) == nil || w.log.server.n != 0 {
		t.Error("not taken over, or the secrets are kept")
	}
}
