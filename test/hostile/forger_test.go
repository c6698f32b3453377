package hostile

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net"
	"strings"
	"testing"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/roostgo/roost/test/client"
)

// The types of records, RFC 8446 §5.1.
const (
	handshakeRecord = 22
	dataRecord      = 23
)

// forger is a client in TLS 1.3 that seals its records itself, after crypto/tls
// has done the handshake: also such as no honest client sends. What it hears,
// crypto/tls opens.
type forger struct {
	*tls.Conn
	raw    net.Conn
	suite  uint16
	secret []byte // what the next key is made of
	aead   cipher.AEAD
	iv     []byte
	seq    uint64
}

// forge connects a client whose records are forged.
func (f *fort) forge(t *testing.T) (*client.Conn, *forger) {
	t.Helper()
	var g *forger
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		raw, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		g, err = newForger(ctx, raw, f.tls)
		return g, err
	}
	return client.Open(t, strings.Replace(f.url("2.0.0"), "wss:", "ws:", 1), client.Options{Timeout: patience, Dial: dial}), g
}

func newForger(ctx context.Context, raw net.Conn, config *tls.Config) (*forger, error) {
	var log bytes.Buffer
	config = config.Clone()
	config.KeyLogWriter = &log
	c := tls.Client(raw, config)
	if err := c.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	g := &forger{Conn: c, raw: raw, suite: c.ConnectionState().CipherSuite}
	for line := range strings.Lines(log.String()) {
		if fields := strings.Fields(line); fields[0] == "CLIENT_TRAFFIC_SECRET_0" {
			g.secret, _ = hex.DecodeString(fields[2])
		}
	}
	return g, g.rekey()
}

// rekey makes the key of the secret (§7.3), whose records are counted from 0.
func (g *forger) rekey() (err error) {
	switch g.suite {
	case tls.TLS_AES_128_GCM_SHA256:
		block, _ := aes.NewCipher(g.expand("key", 16))
		g.aead, err = cipher.NewGCM(block)
	case tls.TLS_CHACHA20_POLY1305_SHA256:
		g.aead, err = chacha20poly1305.New(g.expand("key", 32))
	default:
		err = errors.New("crypto/tls prefers another suite than ever")
	}
	g.iv, g.seq = g.expand("iv", 12), 0
	return err
}

// expand is HKDF-Expand-Label (§7.1).
func (g *forger) expand(label string, size int) []byte {
	label = "tls13 " + label
	b, err := hkdf.Expand(sha256.New, g.secret, "\x00"+string(rune(size))+string(rune(len(label)))+label+"\x00", size)
	if err != nil {
		panic(err)
	}
	return b
}

// record seals anything: the type 0 is none at all (§5.2).
func (g *forger) record(kind byte, content []byte, padding int) []byte {
	inner := append(bytes.Clone(content), kind)
	inner = append(inner, make([]byte, padding)...)
	header := binary.BigEndian.AppendUint16([]byte{dataRecord, 3, 3}, uint16(len(inner)+g.aead.Overhead())) //nolint:gosec // tests know their sizes
	nonce := bytes.Clone(g.iv)
	for i, b := range binary.BigEndian.AppendUint64(nil, g.seq) {
		nonce[4+i] ^= b
	}
	g.seq++
	return g.aead.Seal(header, nonce, inner, header)
}

// update is a key update (§4.6.3), after which there is another key. The server
// may be asked for one of its own.
func (g *forger) update(ask bool) []byte {
	message := []byte{24, 0, 0, 1, 0}
	if ask {
		message[4] = 1
	}
	b := g.record(handshakeRecord, message, 0)
	g.secret = g.expand("traffic upd", sha256.Size)
	_ = g.rekey() // as before
	return b
}

// Write implements net.Conn.
func (g *forger) Write(p []byte) (int, error) {
	const most = 1 << 14
	for rest := p; len(rest) > 0; rest = rest[min(most, len(rest)):] {
		if _, err := g.raw.Write(g.record(dataRecord, rest[:min(most, len(rest))], 0)); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// Close implements net.Conn, without a word.
func (g *forger) Close() error { return g.raw.Close() }
