package conformance

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/telemetry"
	"github.com/roostgo/roost/test/client"
)

// says makes a client connect, join and send a message, each with these parameters.
func (s *server) says(t *testing.T, topic, query, payload string) *client.Conn {
	t.Helper()
	c := s.dial(t, "vsn=2.0.0&"+query)
	must(t, c.Push("1", "1", topic, "phx_join", payload))
	c.ExpectReply(t, "1", "1", topic, "ok")
	must(t, c.Push("1", "2", topic, "echo", payload))
	c.ExpectReply(t, "1", "2", topic, "ok")
	return c
}

// expectParams waits for the log's lines of a connect, a join and a message.
func (s *server) expectParams(t *testing.T, connect, payload string) {
	t.Helper()
	s.logs.expect(t, "socket_connected", "params", connect)
	s.logs.expect(t, "channel_joined", "params", payload)
	s.logs.expect(t, "channel_handled_in", "params", payload)
}

func TestLoggedParameters(t *testing.T) {
	clause(t, 283, "secret keys", func(t *testing.T, s *server) {
		s.says(t, "room:1", "user_token=abc&name=ada", `{"password":"hunter2","of":{"token":[1]},"name":"ada"}`)
		s.expectParams(t, "map[name:ada user_token:[FILTERED] vsn:2.0.0]", "map[name:ada of:map[token:[FILTERED]] password:[FILTERED]]")
	})
	clause(t, 284, "texts with a secret in them", func(t *testing.T, s *server) {
		s.says(t, "room:1", "next=/login%3Fpassword%3Dhunter2", `{"urls":["/a","/b?token=abc"]}`)
		s.expectParams(t, "map[next:[FILTERED] vsn:2.0.0]", "map[urls:[/a [FILTERED]]]")
	})
	clause(t, 284, "texts that are too long to keep", func(t *testing.T, s *server) {
		s.says(t, "room:1", "", `{"text":"`+strings.Repeat("x", 16<<10)+`"}`)
		s.expectParams(t, "map[vsn:2.0.0]", "16395 bytes")
	})
	keep := func(c *roost.Config) { c.Filter = telemetry.Filter{Keep: []string{"name"}} }
	clauseWith(t, 285, "kept keys only", keep, func(t *testing.T, s *server) {
		s.says(t, "room:1", "name=ada&age=36", `{"name":"ada","age":36}`)
		s.expectParams(t, "map[age:[FILTERED] name:ada vsn:[FILTERED]]", "map[age:[FILTERED] name:ada]")
	})
}

func TestLogLevelsOfAChannel(t *testing.T) {
	// each joins a topic and sends a message there.
	for _, c := range []struct {
		name           string
		join, handleIn slog.Level
	}{
		{"both", telemetry.Silent, telemetry.Silent},
		{"joins", telemetry.Silent, slog.LevelInfo},
		{"messages", slog.LevelWarn, telemetry.Silent},
		{"neither", slog.LevelDebug, slog.LevelError},
	} {
		clause(t, 286, "off for "+c.name, func(t *testing.T, s *server) {
			s.Endpoint.Channel("mine:*", s.rooms.factory, roost.WithLog(c.join, c.handleIn))
			s.says(t, "mine:1", "", "{}")
			s.says(t, "room:1", "", "{}")
			s.expectLevel(t, "channel_joined", "mine:1", c.join)
			s.expectLevel(t, "channel_handled_in", "mine:1", c.handleIn)
			s.expectLevel(t, "channel_joined", "room:1", slog.LevelInfo)
			s.expectLevel(t, "channel_handled_in", "room:1", slog.LevelDebug)
		})
	}
	clause(t, 286, "off for topics of Phoenix itself", func(t *testing.T, s *server) {
		s.Endpoint.Channel("phoenix:*", s.rooms.factory, roost.WithLog(slog.LevelInfo, slog.LevelInfo))
		s.says(t, "phoenix:live_reload", "", "{}")
		s.expectLevel(t, "channel_joined", "phoenix:live_reload", telemetry.Silent)
		s.expectLevel(t, "channel_handled_in", "phoenix:live_reload", telemetry.Silent)
	})
}

// expectLevel says what the log has of a topic when all is over: one line of this level, or none.
func (s *server) expectLevel(t *testing.T, name, topic string, level slog.Level) {
	t.Helper()
	want := 1
	if level == telemetry.Silent {
		want = 0
	}
	s.expectLogged(t, want, name, "topic", topic)
	all, _ := s.logs.snapshot()
	for _, r := range all {
		if r.is(name, []string{"topic", topic}) && r.Level != level {
			t.Errorf("%s of %s is logged as %v, want %v", name, topic, r.Level, level)
		}
	}
}
