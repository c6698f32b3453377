package hostile

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport/websocket"
)

// What a client may do now and then is no flood, and shows that the forger knows
// its keys.
func TestAFewOddTLSRecordsAreLetPass(t *testing.T) {
	for _, engine := range engines() {
		f := buildSecure(t, websocket.Config{Engine: engine}, nil)
		c, forged := f.forger(t)
		beat := frame.AppendMasked(nil, true, 0, frame.Text, [4]byte{1, 2, 3, 4}, []byte(beatV2))
		for range 3 {
			sent := forged.record(23, nil)
			sent = append(sent, forged.record(21, []byte{1, 90})...)
			sent = append(sent, forged.keyUpdate(0)...)
			sent = append(sent, forged.keyUpdate(1)...)
			sent = append(sent, forged.record(23, beat)...)
			if _, err := c.NetConn().(*tls.Conn).NetConn().Write(sent); err != nil {
				t.Fatal(err)
			}
			if m := c.Next(t); !strings.Contains(string(m.Payload), `"the beat"`) {
				t.Errorf("%s", m.Payload)
			}
		}
		c.Abort()
		f.stands(t)
	}
}

// Records that only a flood has end their connection.
func TestFloodsOfTLSRecords(t *testing.T) {
	const many = 5000
	for name, flood := range map[string]func(f *forger) []byte{
		"empty data":               func(f *forger) []byte { return f.record(23, nil) },
		"user_canceled":            func(f *forger) []byte { return f.record(21, []byte{1, 90}) },
		"key updates":              func(f *forger) []byte { return f.keyUpdate(0) },
		"key updates to answer":    func(f *forger) []byte { return f.keyUpdate(1) },
		"parts of a key update":    func(f *forger) []byte { return f.record(22, []byte{24}) },
		"new ClientHellos":         func(f *forger) []byte { return f.record(22, []byte{1, 0, 0, 0}) },
		"HelloRequests of TLS 1.2": func(f *forger) []byte { return f.record(22, []byte{0, 0, 0, 0}) },
		"change_cipher_spec":       func(*forger) []byte { return []byte{20, 3, 3, 0, 1, 1} },
	} {
		t.Run(name, func(t *testing.T) {
			for _, engine := range engines() {
				t.Run("engine="+string(engine), func(t *testing.T) {
					f := buildSecure(t, websocket.Config{Engine: engine}, nil)
					c, forged := f.forger(t)
					var sent []byte
					for range many {
						sent = append(sent, flood(forged)...)
					}
					wire := c.NetConn().(*tls.Conn).NetConn()
					done := make(chan struct{})
					go func() { // ends when the server has read all, or hangs up
						defer close(done)
						_, _ = wire.Write(sent)
					}()
					f.honest.ExpectQuiet(t)
					_ = wire.SetDeadline(time.Now().Add(patience))
					for b := make([]byte, 1024); ; {
						if _, err := wire.Read(b); err != nil {
							if strings.Contains(err.Error(), "timeout") {
								t.Error("the connection goes on")
							}
							break
						}
					}
					<-done
					c.Abort()
					f.stands(t)
				})
			}
		})
	}
}

// forger seals what it likes with the keys of a client.
type forger struct {
	secret []byte
	aead   cipher.AEAD
	iv     []byte
	seq    uint64
}

// forger connects a client, and knows its keys.
func (f *fort) forger(t *testing.T) (*client.Conn, *forger) {
	t.Helper()
	log := new(strings.Builder)
	config := f.tls.Clone()
	config.KeyLogWriter = log
	c := f.attacker(t, "2.0.0", client.Options{TLS: config})
	if suite := c.NetConn().(*tls.Conn).ConnectionState().CipherSuite; suite != tls.TLS_AES_128_GCM_SHA256 {
		t.Skipf("the forger does not know %s", tls.CipherSuiteName(suite))
	}
	_, line, _ := strings.Cut(log.String(), "CLIENT_TRAFFIC_SECRET_0 ")
	secret, err := hex.DecodeString(strings.Fields(line)[1])
	if err != nil {
		t.Fatal(err)
	}
	forged := &forger{}
	forged.rekey(secret)
	forged.seq = 1 // the request
	return c, forged
}

// rekey begins with a traffic secret (RFC 8446 §7.3).
func (f *forger) rekey(secret []byte) {
	block, err := aes.NewCipher(expand(secret, "key", 16))
	if err != nil {
		panic(err)
	}
	if f.aead, err = cipher.NewGCM(block); err != nil {
		panic(err)
	}
	f.secret, f.iv, f.seq = secret, expand(secret, "iv", 12), 0
}

// expand is HKDF-Expand-Label (RFC 8446 §7.1).
func expand(secret []byte, label string, n int) []byte {
	label = "tls13 " + label
	info := append([]byte{0, byte(n), byte(len(label))}, label...)
	out, err := hkdf.Expand(sha256.New, secret, string(append(info, 0)), n)
	if err != nil {
		panic(err)
	}
	return out
}

// record seals any content.
func (f *forger) record(kind byte, content []byte) []byte {
	inner := append(append([]byte(nil), content...), kind)
	size := len(inner) + f.aead.Overhead()
	header := []byte{23, 3, 3, byte(size >> 8), byte(size)}
	nonce := append([]byte(nil), f.iv...)
	binary.BigEndian.PutUint64(nonce[4:], binary.BigEndian.Uint64(nonce[4:])^f.seq)
	f.seq++
	return f.aead.Seal(header, nonce, inner, header)
}

// keyUpdate changes the keys, and asks the server for the same or not.
func (f *forger) keyUpdate(request byte) []byte {
	b := f.record(22, []byte{24, 0, 0, 1, request})
	f.rekey(expand(f.secret, "traffic upd", 32))
	return b
}
