//go:build linux

package bench

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// phoenix is a tiny server of the protocol for tests: as much of it as the
// tool uses, with a goroutine per connection, and faults on request.
type phoenix struct {
	http *httptest.Server

	upgrades atomic.Int64
	joined   chan struct{} // closed with the first join
	first    sync.Once

	mu     sync.Mutex
	topics map[string]map[*peer]bool
	fault  string
	shouts int
}

// peer is one connection.
type peer struct {
	net.Conn
	mu sync.Mutex
}

func newPhoenix(t *testing.T, fault string) *phoenix {
	t.Helper()
	p := &phoenix{topics: map[string]map[*peer]bool{}, fault: fault, joined: make(chan struct{})}
	p.http = httptest.NewServer(p)
	t.Cleanup(p.http.Close)
	return p
}

func (p *phoenix) addr() string { return p.http.Listener.Addr().String() }

// ServeHTTP upgrades and reads until the client is gone.
func (p *phoenix) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch n := p.upgrades.Add(1); {
	case p.fault == "refuse", p.fault == "refuse-once" && n == 1:
		http.Error(w, "not now", http.StatusServiceUnavailable)
		return
	case r.URL.Path != "/socket/websocket" || r.URL.Query().Get("vsn") != "2.0.0":
		http.NotFound(w, r)
		return
	}
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"+
		"sec-websocket-accept: %s\r\n\r\n", acceptOf(r.Header.Get("Sec-WebSocket-Key")))
	p.serve(&peer{Conn: conn}, rw.Reader)
}

// acceptOf is RFC 6455 §4.2.2's answer to a key.
func acceptOf(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

func (p *phoenix) serve(c *peer, in *bufio.Reader) {
	defer p.forget(c)
	for {
		payload, err := readMasked(in)
		if err != nil {
			return
		}
		var m [5]json.RawMessage
		if err := json.Unmarshal(payload, &m); err != nil {
			return
		}
		if !p.handle(c, m) {
			return
		}
	}
}

// handle answers one message; false ends the connection.
func (p *phoenix) handle(c *peer, m [5]json.RawMessage) bool {
	switch event := strings.Trim(string(m[3]), `"`); event {
	case "heartbeat":
		c.reply(json.RawMessage("null"), m, "ok", "{}")
	case "phx_join":
		if p.fault == "refuse-join" {
			c.reply(m[0], m, "error", `{"reason":"full"}`)
			return true
		}
		p.join(c, string(m[2]))
		c.reply(m[0], m, "ok", "{}")
	case requestEvent:
		if p.fault == "hang-up" {
			c.send(0x88, []byte{0x03, 0xF5}) // 1013
			return false
		}
		c.reply(m[0], m, "ok", string(m[4]))
	case broadcastEvent:
		p.broadcast(m)
	}
	return true
}

func (c *peer) reply(joinRef json.RawMessage, m [5]json.RawMessage, status, response string) {
	c.send(0x81, fmt.Appendf(nil, `[%s,%s,%s,"phx_reply",{"status":%q,"response":%s}]`, joinRef, m[1], m[2], status, response))
}

func (p *phoenix) join(c *peer, topic string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.topics[topic] == nil {
		p.topics[topic] = map[*peer]bool{}
	}
	p.topics[topic][c] = true
	p.first.Do(func() { close(p.joined) })
}

func (p *phoenix) forget(c *peer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, peers := range p.topics {
		delete(peers, c)
	}
}

// broadcast sends to all; with a fault, to one of them twice or not at all.
func (p *phoenix) broadcast(m [5]json.RawMessage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shouts++
	text := fmt.Appendf(nil, `[null,null,%s,%s,%s]`, m[2], m[3], m[4])
	odd := p.shouts == 3
	for c := range p.topics[string(m[2])] {
		if odd && p.fault == "lose" {
			odd = false
			continue
		}
		c.send(0x81, text)
		if odd && p.fault == "repeat" {
			odd = false
			c.send(0x81, text)
		}
	}
}

func (c *peer) send(first byte, payload []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// The reader notices if the client is gone.
	_, _ = c.Write(serverFrameBytes(first, payload))
}

// serverFrameBytes is a frame without a mask.
func serverFrameBytes(first byte, payload []byte) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, byte(n))
	case n <= 0xFFFF:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
	return append(b, payload...)
}

// readMasked reads a frame as clients send it and unmasks it the plain way.
func readMasked(in *bufio.Reader) ([]byte, error) {
	var head [2]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return nil, err
	}
	n := uint64(head[1] & 0x7F)
	size := map[uint64]int{126: 2, 127: 8}[n]
	rest := make([]byte, size+4)
	if _, err := io.ReadFull(in, rest); err != nil {
		return nil, err
	}
	for i, b := range rest[:size] {
		if i == 0 {
			n = 0
		}
		n = n<<8 | uint64(b)
	}
	payload := make([]byte, n)
	if _, err := io.ReadFull(in, payload); err != nil {
		return nil, err
	}
	for i := range payload {
		payload[i] ^= rest[size+i%4]
	}
	if head[0]&0xF == opClose {
		return nil, io.EOF
	}
	return bytes.Clone(payload), nil
}
