package hostile

import (
	"crypto"
	"crypto/tls"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport/websocket"
)

// stone is a key that takes its time once it is told to: signing is what a
// flood of handshakes makes a server do.
type stone struct {
	crypto.Signer

	slow   chan struct{} // closed when it begins to
	signed chan struct{} // closed when it may sign all the same
}

func (s stone) Sign(r io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	select {
	case <-s.slow:
		<-s.signed
	default:
	}
	return s.Signer.Sign(r, digest, o)
}

// Handshakes that compute, wait for their turn, or for their clients, keep
// nobody who is connected from being served, however long that lasts.
func TestAFloodOfTLSHandshakes(t *testing.T) {
	const flood = 100
	for _, engine := range engines() {
		t.Run("engine="+string(engine), func(t *testing.T) {
			key := stone{slow: make(chan struct{}), signed: make(chan struct{})}
			f := buildSecure(t, websocket.Config{Engine: engine}, func(own crypto.Signer) crypto.Signer { key.Signer = own; return key })
			friend := f.attacker(t, "2.0.0", client.Options{TLS: f.tls})
			friend.Join(t, "room:1", "1", "")
			close(key.slow)
			var wait sync.WaitGroup
			for range flood {
				stalls := f.plain(t)
				if _, err := io.WriteString(stalls, "\x16\x03\x01\x02\x00half a ClientHello"); err != nil {
					t.Fatal(err)
				}
				whole := tls.Client(f.plain(t), f.tls)
				wait.Go(func() {
					if err := whole.Handshake(); err != nil {
						t.Error(err)
					}
					_ = whole.Close()
				})
			}
			f.await(t, func() bool { return f.handshakes().UnderWay == 2*flood && f.handshakes().Waited >= flood/2 })
			for range 20 {
				f.honest.ExpectQuiet(t)
				if err := friend.Push("1", "2", "room:1", "echo", "{}"); err != nil {
					t.Fatal(err)
				}
				friend.Next(t)
			}
			close(key.signed)
			wait.Wait()
			friend.Abort()
			f.stands(t)
		})
	}
}

// plain connects without TLS.
func (f *fort) plain(t *testing.T) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", f.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(2 * patience)) // a place rests as long as the key took
	return c
}

// await waits until something is so.
func (f *fort) await(t *testing.T, so func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for late := time.After(patience); !so(); {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("in vain: %+v", f.handshakes())
		}
	}
}
