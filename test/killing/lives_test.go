package killing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/test/client"
)

// lives are what clients of a soak do between their birth and their death. An
// error is the server's fault.
var lives = []func(h *house, r *rand.Rand) error{
	func(h *house, r *rand.Rand) error { h.live(r, r.IntN(1000)); return nil },
	(*house).reside,
	(*house).crashAndReturn,
	(*house).stall,
	(*house).lag,
	(*house).babble,
	(*house).reconnect,
}

// v2 is a V2 message as a client reads it.
type v2 [5]json.RawMessage

func (m v2) answers(ref string) bool  { return string(m[1]) == strconv.Quote(ref) }
func (m v2) isEvent(name string) bool { return string(m[3]) == strconv.Quote(name) }

// hear reads until a message comes that a client waits for.
func hear(c *client.Conn, wanted func(v2) bool) error {
	for {
		var m v2
		if err := c.ReadJSON(patience, &m); err != nil || wanted(m) {
			return err
		}
	}
}

// ask pushes and waits for the answer.
func ask(c *client.Conn, joinRef, ref, topic, event, payload string) error {
	err := errors.Join(c.Push(joinRef, ref, topic, event, payload), hear(c, func(m v2) bool { return m.answers(ref) }))
	if err != nil {
		return fmt.Errorf("%s on %s, ref %s: %w", event, topic, ref, err)
	}
	return nil
}

// pause waits for up to n milliseconds.
func pause(r *rand.Rand, n int) { <-time.After(time.Duration(r.IntN(n*1000)) * time.Microsecond) }

// reside is the life of most: join some rooms, talk for a while, leave one, and
// die.
func (h *house) reside(r *rand.Rand) error {
	c, err := h.dialWith("", client.Options{Deflate: r.IntN(2) == 0})
	if err != nil {
		return err
	}
	defer c.Drop()
	rooms := r.Perm(13)[:1+r.IntN(4)]
	for i, room := range rooms {
		ref := fmt.Sprint("join", i)
		err = errors.Join(err, ask(c, ref, ref, fmt.Sprint("room:", room), "phx_join", ""))
	}
	for n := range r.IntN(50) {
		i := r.IntN(len(rooms))
		err = errors.Join(err, ask(c, fmt.Sprint("join", i), fmt.Sprint(n), fmt.Sprint("room:", rooms[i]), "echo", `{"pad":"`+strings.Repeat("x", r.IntN(500))+`"}`))
		if err != nil {
			return err
		}
		pause(r, 50)
	}
	err = errors.Join(err, ask(c, "join0", "leave", fmt.Sprint("room:", rooms[0]), "phx_leave", ""))
	deaths[r.IntN(len(deaths))](r, c)
	return err
}

// crashAndReturn has a channel crash, and joins again, as phoenix.js does.
func (h *house) crashAndReturn(r *rand.Rand) error {
	c, err := h.dial("")
	if err != nil {
		return err
	}
	defer c.Drop()
	topic := fmt.Sprint("room:crash", r.IntN(3))
	for i := range 1 + r.IntN(4) {
		ref := fmt.Sprint("join", i)
		err = errors.Join(err, ask(c, ref, ref, topic, "phx_join", ""), c.Push(ref, "", topic, "crash", ""),
			hear(c, func(m v2) bool { return m.isEvent("phx_error") }))
	}
	return errors.Join(err, c.Close(1000))
}

// narrow connects with a small buffer, which is soon full.
func narrow(ctx context.Context, network, address string) (net.Conn, error) {
	nc, err := new(net.Dialer).DialContext(ctx, network, address)
	if tcp, ok := nc.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(16 << 10)
	}
	return nc, err
}

// stall asks and does not read the answers, until it is cut, and notices.
func (h *house) stall(r *rand.Rand) error {
	c, err := h.dialWith("", client.Options{Dial: narrow})
	if err != nil {
		return err
	}
	defer c.Abort()
	if err := ask(c, "1", "1", "room:stall", "phx_join", ""); err != nil {
		return err
	}
	long := `["1","2","room:stall","echo",{"pad":"` + strings.Repeat("x", 4000) + `"}]`
	question := frame.AppendMasked(nil, true, 0, frame.Text, [4]byte{1, 2, 3, 4}, []byte(long))
	for range 2000 {
		if c.SendRaw(question) != nil {
			return nil
		}
	}
	for late := time.Now().Add(patience); time.Now().Before(late); pause(r, 10) { // the server reads on
		if c.Ping("") != nil {
			return nil
		}
	}
	return errors.New("a client that does not read was not cut, or does not notice")
}

// lag listens to what may be thinned, does not read for a while, and asks: the
// answer comes, and what is kept before it is in order.
func (h *house) lag(r *rand.Rand) error {
	c, err := h.dialWith("", client.Options{Dial: narrow})
	if err != nil {
		return err
	}
	defer c.Drop()
	for _, topic := range []string{"stream:1", "state:1"} {
		err = errors.Join(err, ask(c, topic, topic, topic, "phx_join", ""))
	}
	pause(r, 3000)
	newest := map[string]int{}
	return errors.Join(err, c.Push("stream:1", "late", "stream:1", "echo", ""), hear(c, func(m v2) bool {
		var news struct{ N int }
		if m.isEvent("news") && json.Unmarshal(m[4], &news) == nil {
			topic := string(m[2])
			if news.N <= newest[topic] {
				h.t.Errorf("%d of %s came after %d", news.N, topic, newest[topic])
			}
			newest[topic] = news.N
		}
		return m.answers("late")
	}))
}

// babble says nothing that makes sense.
func (h *house) babble(r *rand.Rand) error {
	c, err := h.dial("")
	if err != nil {
		return err
	}
	defer c.Abort()
	b := make([]byte, 1+r.IntN(2000))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	if r.IntN(2) == 0 {
		b = frame.AppendMasked(nil, true, 0, frame.Text, [4]byte{1, 2, 3, 4}, b)
	}
	_ = c.SendRaw(b)
	_, _ = c.Read(20 * time.Millisecond)
	return nil
}

// reconnect comes and goes politely. Somebody may disconnect it by its id.
func (h *house) reconnect(r *rand.Rand) error {
	for range 1 + r.IntN(5) {
		c, err := h.dial(fmt.Sprint("user:", r.IntN(50)))
		if err != nil {
			return err
		}
		_ = ask(c, "1", "1", "room:1", "phx_join", "")
		_ = c.Close(1000)
		for err == nil {
			_, err = c.Read(patience)
		}
		c.Drop()
	}
	return nil
}
