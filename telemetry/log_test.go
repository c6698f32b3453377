package telemetry

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// written is a log, and the handler that writes it.
func written() (*bytes.Buffer, Handler) {
	b := new(bytes.Buffer)
	return b, Log(slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug})))
}

func TestAFloodOfWarningsIsWrittenInPart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, h := written()
		for range 10 * LogBurst {
			h.Handle(context.Background(), JoinUnmatched{Channel{Topic: "t"}})
		}
		h.Handle(context.Background(), MailboxFull{}) // has room of its own
		if n, m := strings.Count(b.String(), "join_unmatched"), strings.Count(b.String(), "mailbox_full"); n != LogBurst || m != 1 {
			t.Errorf("%d of the flood and %d others were written", n, m)
		}
		<-time.After(time.Second)
		b.Reset()
		h.Handle(context.Background(), JoinUnmatched{})
		if want := fmt.Sprintf("left_out=%d", 9*LogBurst); !strings.Contains(b.String(), want) {
			t.Errorf("got %q, want %s", b, want)
		}
		b.Reset()
		h.Handle(context.Background(), JoinUnmatched{})
		if strings.Contains(b.String(), "left_out") {
			t.Errorf("it is said again: %q", b)
		}
	})
}

func TestWhatIsNoWarningIsAllWritten(t *testing.T) {
	b, h := written()
	for range 10 * LogBurst {
		h.Handle(context.Background(), ChannelJoined{OK: true})
	}
	if n := strings.Count(b.String(), "channel_joined"); n != 10*LogBurst {
		t.Errorf("%d were written", n)
	}
}

// mute is an error that cannot say what it is.
type mute struct{}

func (mute) Error() string { panic("no words") }

func TestAnErrorThatPanicsLosesNothingElse(t *testing.T) {
	b, h := written()
	h.Handle(context.Background(), ChannelCrashed{Channel: Channel{Topic: "room:1"}, Callback: "HandleIn", Err: mute{}})
	for _, want := range []string{"channel_crashed", "topic=room:1", "telemetry.mute", "no words"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("got %q, want %q in it", b, want)
		}
	}
}
