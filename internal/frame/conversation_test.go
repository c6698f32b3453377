package frame

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// conversation is a random stream of well-formed frames and the events that it must give.
type conversation struct {
	r    *rand.Rand
	wire []byte
	want []got
}

func (c *conversation) frame(fin bool, rsv byte, op Opcode, payload string) {
	var key [4]byte
	for i := range key {
		key[i] = byte(c.r.Uint32())
	}
	c.wire = AppendMasked(c.wire, fin, rsv, op, key, []byte(payload))
}

// payload is text of a random length around the places where lengths change their form.
func (c *conversation) payload() string {
	n := []int{0, 1, 5, 125, 126, 300, 70000}[c.r.IntN(7)]
	return strings.ToValidUTF8(strings.Repeat(long, 1+n/len(long))[:n], "")
}

// message writes a message in up to four fragments, with control frames between them.
func (c *conversation) message() {
	payload := c.payload()
	op := Opcode(1 + c.r.IntN(2))
	rest, rsv := payload, byte(0)
	if c.r.IntN(2) == 0 {
		rest, rsv = string(Deflate(nil, []byte(payload))), RSV1
	}
	frameOp := op
	for range c.r.IntN(4) {
		n := min(len(rest), 1+c.r.IntN(200))
		if n == 0 {
			break
		}
		c.frame(false, rsv, frameOp, rest[:n])
		rest, rsv, frameOp = rest[n:], 0, Continuation
		c.control()
	}
	c.frame(true, rsv, frameOp, rest)
	c.want = append(c.want, got{op: op, payload: payload})
}

// control writes a ping or a pong, or none.
func (c *conversation) control() {
	if c.r.IntN(3) > 0 {
		return
	}
	op, payload := Ping+Opcode(c.r.IntN(2)), long[:c.r.IntN(126)]
	c.frame(true, 0, op, payload)
	c.want = append(c.want, got{op: op, payload: payload})
}

func TestAnyConversationIsReadAsItWasSentInAnyPieces(t *testing.T) {
	for seed := range uint64(100) {
		c := conversation{r: rand.New(rand.NewPCG(seed, 0))}
		for range 5 {
			c.message()
			c.control()
		}
		c.frame(true, 0, Close, "\x03\xe8")
		c.want = append(c.want, got{op: Close, code: 1000})
		for _, pieces := range [][][]byte{{c.wire}, chop(c.wire, seed)} {
			var a Assembler
			if all := events(t, &a, &deflating, pieces...); !reflect.DeepEqual(all, c.want) {
				t.Fatalf("seed %d in %d pieces: %d events, want %d", seed, len(pieces), len(all), len(c.want))
			}
			if !a.Idle() {
				t.Fatalf("seed %d: not idle", seed)
			}
		}
	}
}
