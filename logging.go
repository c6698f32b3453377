package roost

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/roostgo/roost/telemetry"
	"github.com/roostgo/roost/wire"
)

// logLevels say how loudly the log tells what the channels of a route do.
type logLevels struct{ join, handleIn slog.Level }

var usualLevels = logLevels{join: slog.LevelInfo, handleIn: slog.LevelDebug}

// WithLog sets the levels at which the log says that a client joined a channel of
// the route, or was refused, and that it handled a message. telemetry.Silent is
// not at all; handlers other than the log get these events whatever the level.
// Default: slog.LevelInfo and slog.LevelDebug; telemetry.Silent for topics that
// begin with "phoenix" [§14.2].
func WithLog(join, handleIn slog.Level) RouteOption {
	return func(r *route) { r.levels = logLevels{join, handleIn} }
}

// levels are those of the channel's route. Routes are only ever added behind
// others, so it is found again.
func (s *Socket) levels() logLevels {
	if strings.HasPrefix(*s.topic, topicPhoenix) {
		return logLevels{telemetry.Silent, telemetry.Silent}
	}
	if s.is(ownLevels) {
		return s.client.kind.endpoint.routes.Load().find(*s.topic).levels
	}
	return usualLevels
}

// tells reports whether somebody wants to know of an event of this level, or of
// the level that handlers expect it at.
func (e *Endpoint) tells(level, usual slog.Level) bool {
	return e.stream.Enabled(usual) || level > usual && e.stream.Enabled(level)
}

// brief is a client's text for an event: cut, and sharing no memory with the
// message that it came in, which may be long.
func brief(s string) string { return strings.Clone(telemetry.Cut(s)) }

// maxLoggedParams is how many bytes of parameters an event keeps while it waits
// for the log, which would cut them anyway.
const maxLoggedParams = 16 << 10

// params are a payload's, for the log.
func (e *Endpoint) params(p Payload) telemetry.Params {
	if n := len(p.Bytes()); n > maxLoggedParams {
		return telemetry.NewParams(&e.config.Filter, func() any { return fmt.Sprintf("%d bytes", n) })
	}
	return telemetry.NewParams(&e.config.Filter, func() any { return decoded(p) })
}

// connectParams are a connect's, for the log. As text they take less room than as
// maps, and nothing else of the request stays with them.
func (e *Endpoint) connectParams(p Params) telemetry.Params {
	text, err := wire.Marshal(p)
	if err != nil { // only what Connect put there can be the reason
		return telemetry.Params{}
	}
	return e.params(text)
}

// decoded is a payload as Go values; bytes stay bytes.
func decoded(p Payload) any {
	if p.IsBinary() {
		return p.Bytes()
	}
	var v any
	if err := p.Decode(&v); err != nil { // it was validated when it came
		return nil
	}
	return v
}
