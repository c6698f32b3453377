package websocket

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync/atomic"

	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/telemetry"
)

// breached counts a connection that is closed because of what the client sent,
// and tells of the bound if it is one. err is why.
func (c *counters) breached(ctx context.Context, config *Config, err error) {
	fe, ok := errors.AsType[*frame.Error](err)
	if !ok {
		return
	}
	switch fe.Bound() {
	case frame.FrameSize:
		c.bound(ctx, config, &c.overFrame, "MaxFrame", strconv.Itoa(config.MaxFrame), err)
	case frame.MessageSize:
		c.bound(ctx, config, &c.overMessage, "MaxMessage", strconv.Itoa(config.MaxMessage), err)
	case frame.Fragments:
		c.bound(ctx, config, &c.overFragments, "MaxFragments", strconv.Itoa(config.MaxFragments), err)
	case frame.Ratio:
		c.bound(ctx, config, &c.overRatio, "MaxRatio", strconv.Itoa(config.MaxRatio), err)
	case frame.NoBound:
		switch fe {
		case errLate:
			c.bound(ctx, config, &c.messageTimeouts, "MessageTimeout", config.MessageTimeout.String(), err)
		case errCrowded:
			c.bound(ctx, config, &c.crowded, "MaxIncomplete", strconv.Itoa(config.MaxIncomplete), err)
		default:
			c.violations.Add(1)
		}
	}
}

func (c *counters) bound(ctx context.Context, config *Config, count *atomic.Uint64, name, limit string, err error) {
	count.Add(1)
	config.Telemetry.Emit(ctx, telemetry.BoundHit{
		Socket: telemetry.Socket{Transport: Name}, Bound: name, Limit: limit, Err: err,
	})
}

// idle counts a connection that was silent for too long.
func (c *counters) idle(ctx context.Context, config *Config) {
	c.idleTimeouts.Add(1)
	if config.Telemetry.Enabled(slog.LevelDebug) { // a network that goes away takes many with it
		config.Telemetry.Emit(ctx, telemetry.BoundHit{
			Socket: telemetry.Socket{Transport: Name}, Bound: "Timeout", Limit: config.Timeout.String(),
		})
	}
}

// abrupt counts a connection whose closing handshake took too long.
func (c *counters) abrupt(ctx context.Context, config *Config) {
	c.closeTimeouts.Add(1)
	if config.Telemetry.Enabled(slog.LevelDebug) { // as above
		config.Telemetry.Emit(ctx, telemetry.BoundHit{
			Socket: telemetry.Socket{Transport: Name}, Bound: "CloseTimeout", Limit: config.CloseTimeout.String(),
		})
	}
}
