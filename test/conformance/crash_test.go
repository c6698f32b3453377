package conformance

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"testing"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport"
	"github.com/roostgo/roost/transport/websocket"
)

func TestCrash(t *testing.T) {
	clause(t, 179, "a panic sends phx_error and no reply", func(t *testing.T, s *server) {
		endsOn(t, s, func() error { panic(errWhy) }, func(t *testing.T, c *client.Conn, topic string) {
			expectAll(t, c, terminated(topic, &roost.PanicError{Value: errWhy}), crashed(`"1"`, topic))
			c.ExpectQuiet(t)
			if r := s.logs.expect(t, "channel_crashed", "topic", topic); r.Level != slog.LevelError {
				t.Errorf("logged as %v", r)
			}
		})
		s.expectLogged(t, len(occasions), "channel_crashed")
	})
	clause(t, 179, "a reply that cannot be encoded is a crash", func(t *testing.T, s *server) {
		s.plays("mine", act{in: func(_ context.Context, _ *roost.Socket, event string, _ roost.Payload) (roost.Reply, error) {
			return roost.ReplyOK(oops{event}), nil
		}})
		c := s.open(t)
		for _, how := range []string{"error", "panic", "exit"} {
			c.Join(t, "mine", "1", "")
			push(t, c, "1", "2", "mine", how, "")
			c.Expect(t, crashed(`"1"`, "mine"))
			s.logs.expect(t, "channel_crashed", "event", how)
		}
	})
	clause(t, 179, "Terminate may panic", func(t *testing.T, s *server) {
		s.plays("mine", act{terminate: func(*roost.Socket, error) { panic(errWhy) }})
		c := s.open(t)
		for event, want := range map[string][]string{
			"crash":     {crashed(`"1"`, "mine")},
			"phx_leave": {v2ok(`"1"`, `"2"`, "mine", "{}"), closed(`"1"`, "mine")},
		} {
			c.Join(t, "mine", "1", "")
			push(t, c, "1", "2", "mine", event, "")
			expectAll(t, c, want...)
		}
		s.logs.expect(t, "channel_crashed", "topic", "mine", "callback", "Terminate")
	})
	clause(t, 180, "a callback that exits its goroutine sends phx_error", func(t *testing.T, s *server) {
		exit := func() error { runtime.Goexit(); return nil }
		endsOn(t, s, exit, func(t *testing.T, c *client.Conn, topic string) {
			if m := c.Next(t); !client.SameJSON(t, string(array(t, c)[4]), `{"reason":"channel_crash"}`) {
				t.Errorf("got %v and no phx_error", m)
			}
			s.logs.expect(t, "channel_crashed", "topic", topic)
		})
	})
	clause(t, 180, "to panic with Stop is a crash", func(t *testing.T, s *server) {
		endsOn(t, s, func() error { panic(roost.Stop) }, func(t *testing.T, c *client.Conn, topic string) {
			expectAll(t, c, terminated(topic, &roost.PanicError{Value: roost.Stop}), crashed(`"1"`, topic))
		})
	})
	few := func(c *roost.Config) { c.Workers = 2 }
	clauseWith(t, 180, "callbacks that exit take no workers away", few, func(t *testing.T, s *server) {
		s.plays("mine:*", act{
			in: func(context.Context, *roost.Socket, string, roost.Payload) (roost.Reply, error) {
				runtime.Goexit()
				return roost.NoReply(), nil
			},
			terminate: func(*roost.Socket, error) { runtime.Goexit() },
		})
		c := s.open(t)
		for i := range 20 {
			topic := fmt.Sprint("mine:", i)
			c.Join(t, topic, "1", "")
			push(t, c, "1", "2", topic, "e", "")
			c.Expect(t, crashed(`"1"`, topic))
		}
		c.Join(t, "room:1", "1", "")
	})
	clause(t, 181, "a channel killed from outside sends phx_error", killsChannel)
	clause(t, 181, "a channel killed during its join", killsInJoin)
	clause(t, 182, "phx_error has the join_ref twice and says channel_crash", func(t *testing.T, s *server) {
		c := s.open(t)
		for _, joinRef := range []string{`"7"`, `7`, `null`} {
			send(t, c, v2(joinRef, `"1"`, "room:1", "phx_join", "{}"), v2(joinRef, `"2"`, "room:1", "crash", "{}"))
			c.Expect(t, v2ok(joinRef, `"1"`, "room:1", "{}"))
			c.Expect(t, `[`+joinRef+`,`+joinRef+`,"room:1","phx_error",{"reason":"channel_crash"}]`)
		}
	})
	clause(t, 183, "a crash harms nobody else", func(t *testing.T, s *server) {
		c, other := s.open(t), s.open(t)
		c.Join(t, "room:1", "1", "")
		c.Join(t, "room:2", "2", "")
		other.Join(t, "room:1", "3", "")
		push(t, c, "1", "4", "room:1", "panic", `{"panic":"oh"}`)
		c.Expect(t, crashed(`"1"`, "room:1"))
		send(t, c, heartbeat("5"), v2(`"2"`, "6", "room:2", "echo", "{}"))
		expectAll(t, c, alive("5"), v2ok(`"2"`, "6", "room:2", "{}"))
		push(t, other, "3", "7", "room:1", "echo", "")
		other.Expect(t, v2ok(`"3"`, `"7"`, "room:1", "{}"))
	})
	clause(t, 184, "after phx_error the topic can be joined at once", func(t *testing.T, s *server) {
		c := s.open(t)
		for i := range 20 {
			ref := fmt.Sprintf(`"%d"`, i)
			send(t, c, v2(ref, ref, "room:1", "phx_join", "{}"), v2(ref, "null", "room:1", "crash", "{}"))
			expectAll(t, c, v2ok(ref, ref, "room:1", "{}"), crashed(ref, "room:1"))
		}
	})
	clause(t, 185, "an unknown event crashes the channel", func(t *testing.T, s *server) {
		s.plays("mine", act{})
		s.Endpoint.Channel("typed", newTyped(make(chan error, 1)))
		c := s.open(t)
		for _, topic := range []string{"mine", "typed", "room:1"} {
			send(t, c, v2(`"1"`, `"1"`, topic, "phx_join", `{"name":"ann"}`), v2(`"1"`, `"2"`, topic, "unheard of", "{}"))
			until(t, c, crashed(`"1"`, topic))
			s.logs.expect(t, "channel_crashed", "topic", topic, "event", "unheard of")
		}
	})
	clause(t, 186, "channels learn why the connection ended", learnsWhy)
	clause(t, 186, "a busy channel terminates when it is done", func(t *testing.T, s *server) {
		c := s.open(t)
		c.Join(t, "room:1", "1", "")
		push(t, c, "1", "2", "room:1", "block", "")
		c.Expect(t, v2(`"1"`, "null", "room:1", "blocked", "{}"))
		c.Drop()
		eventually(t, "the connection is gone", func() bool { return s.Endpoint.Stats().WebSocket.Connections == 0 })
		select {
		case reason := <-s.rooms.endings("room:1"):
			t.Errorf("terminated while its handler ran: %v", reason)
		default:
		}
		s.release("room:1")
		if reason := s.expectEnd(t, "room:1"); !errors.Is(reason, roost.ErrClosed) {
			t.Errorf("terminated with %v", reason)
		}
	})
	clause(t, 186, "a client that goes during its join", goesDuringJoin)
	clause(t, 187, "reserved events of a client are events like others", func(t *testing.T, s *server) {
		var seen notes
		s.plays("mine", seen.channel())
		c := s.open(t)
		c.Join(t, "mine", "1", "")
		for _, event := range []string{"phx_close", "phx_error", "phx_reply", "phx_other", "heartbeat", ""} {
			push(t, c, "1", "2", "mine", event, "")
			c.Expect(t, v2ok(`"1"`, `"2"`, "mine", "{}"))
		}
		if got := fmt.Sprintf("%q", seen.all()); got != `["phx_close" "phx_error" "phx_reply" "phx_other" "heartbeat" ""]` {
			t.Errorf("the channel saw %s", got)
		}
	})
}

func killsChannel(t *testing.T, s *server) {
	sockets, reasons := make(chan *roost.Socket, 1), make(chan error, 1)
	s.plays("mine", act{
		join: func(_ context.Context, k *roost.Socket, _ roost.Payload) (roost.Reply, error) {
			sockets <- k
			return roost.NoReply(), nil
		},
		terminate: func(k *roost.Socket, reason error) {
			must(t, k.Push("terminated", nil))
			reasons <- reason
		},
	})
	c := s.open(t)
	c.Join(t, "mine", "1", "")
	k := receive(t, sockets, "socket")
	k.Kill(errWhy)
	expectAll(t, c, v2(`"1"`, "null", "mine", "terminated", "{}"), crashed(`"1"`, "mine"))
	if reason := receive(t, reasons, "reason"); !errors.Is(reason, errWhy) {
		t.Errorf("terminated with %v", reason)
	}
	s.logs.expect(t, "channel_crashed", "topic", "mine")
	k.Kill(errWhy) // there is nobody any more
	c.ExpectQuiet(t)
	c.Join(t, "mine", "2", "")
	receive(t, sockets, "socket").Kill(roost.Stop) // is no graceful end either
	expectAll(t, c, v2(`"2"`, "null", "mine", "terminated", "{}"), crashed(`"2"`, "mine"))
}

// killsInJoin kills a channel before its join is answered.
func killsInJoin(t *testing.T, s *server) {
	s.plays("mine", act{join: func(_ context.Context, k *roost.Socket, _ roost.Payload) (roost.Reply, error) {
		k.Kill(errWhy)
		return roost.NoReply(), nil
	}})
	c := s.open(t)
	push(t, c, "1", "1", "mine", "phx_join", "")
	expectAll(t, c, v2ok(`"1"`, `"1"`, "mine", "{}"), crashed(`"1"`, "mine"))
}

// learnsWhy ends connections in every way.
func learnsWhy(t *testing.T, s *server) {
	for name, end := range map[string]struct {
		do   func(c *client.Conn)
		want error
	}{
		"close": {func(c *client.Conn) { must(t, c.Close(1000)); c.ExpectClose(t, 1000) }, transport.ErrClientClosed},
		"drop":  {func(c *client.Conn) { c.Drop() }, transport.ErrClientGone},
		"abort": {func(c *client.Conn) { c.Abort() }, transport.ErrClientGone},
		"1011":  {func(c *client.Conn) { send(t, c, "{"); c.ExpectClose(t, 1011) }, transport.ErrServerClosed},
		"1002":  {func(c *client.Conn) { must(t, c.SendFrame(true, frame.RSV2, frame.Text, nil)); c.ExpectClose(t, 1002) }, transport.ErrBadFrame},
	} {
		c, topics := s.open(t), []string{"room:" + name + "1", "room:" + name + "2", "room:" + name + "3"}
		for _, topic := range topics {
			c.Join(t, topic, "1", "")
		}
		end.do(c)
		for _, topic := range topics {
			if reason := s.expectEnd(t, topic); !errors.Is(reason, roost.ErrClosed) || !errors.Is(reason, end.want) {
				t.Errorf("%s: terminated with %v, want ErrClosed and %v", name, reason, end.want)
			}
		}
	}
}

// goesDuringJoin drops the connection while Join runs: if Join accepts, the channel terminates.
func goesDuringJoin(t *testing.T, s *server) {
	entered, gate, reasons := make(chan struct{}, 2), newGate(), make(chan error, 2)
	s.plays("mine:*", act{
		join: func(_ context.Context, k *roost.Socket, _ roost.Payload) (roost.Reply, error) {
			entered <- struct{}{}
			if err := gate.pass(); err != nil || k.Topic() == "mine:refused" {
				return roost.Refuse("no"), err
			}
			return roost.NoReply(), nil
		},
		terminate: func(k *roost.Socket, reason error) { reasons <- fmt.Errorf("%s: %w", k.Topic(), reason) },
	})
	for _, topic := range []string{"mine:refused", "mine:accepted"} {
		c := s.open(t)
		push(t, c, "1", "1", topic, "phx_join", "")
		receive(t, entered, "join")
		c.Abort()
	}
	if s.engine == websocket.EventLoops { // the other engine notices when it reads again
		eventually(t, "the connections are gone", func() bool { return s.Endpoint.Stats().WebSocket.Connections == 0 })
	}
	gate.open()
	if reason := receive(t, reasons, "end"); !errors.Is(reason, roost.ErrClosed) || reason.Error()[:13] != "mine:accepted" {
		t.Errorf("terminated: %v", reason)
	}
	s.shutdown(t)
	select {
	case reason := <-reasons:
		t.Errorf("terminated, too: %v", reason)
	default:
	}
}
