package roost_test

import (
	"context"
	"log/slog"
	"net/http"
	"testing"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/telemetry"
	"github.com/roostgo/roost/test/client"
)

// asked gets what became of connects.
type asked chan telemetry.SocketConnected

func (a asked) Handle(_ context.Context, e telemetry.Event) {
	if c, ok := e.(telemetry.SocketConnected); ok {
		a <- c
	}
}

func (asked) Enabled(slog.Level) bool { return true }

func TestAConnectThatPanicsIsCountedAsACrash(t *testing.T) {
	e := roost.NewEndpoint(roost.Config{
		Logger: slog.New(slog.DiscardHandler), Connect: func(context.Context, *roost.Connect) error { panic("no") },
	})
	client.Refused(t, start(t, &roost.Server{Endpoint: e}).url("/socket/websocket"), client.Options{}, http.StatusInternalServerError)
	if s := e.Stats(); s.ConnectsCrashed != 1 || s.ConnectsRefused != 0 {
		t.Errorf("got %+v", s)
	}
}

func TestAClientThatWentAwayWhileConnectWasAskedWasNotRefused(t *testing.T) {
	ctx, hangUp := context.WithCancel(t.Context())
	defer hangUp()
	told := make(asked, 1)
	e := roost.NewEndpoint(roost.Config{
		Logger: slog.New(slog.DiscardHandler), Telemetry: []telemetry.Handler{told},
		Connect: func(asked context.Context, _ *roost.Connect) error {
			hangUp()
			<-asked.Done()
			return nil
		},
	})
	_, _, _ = client.Dial(ctx, start(t, &roost.Server{Endpoint: e}).url("/socket/websocket"), client.Options{})
	if c := receive(t, told, "end of the connect"); c.OK {
		t.Error("it was let in")
	}
	if s := e.Stats(); s.ConnectsGone != 1 || s.ConnectsRefused != 0 {
		t.Errorf("got %+v", s)
	}
}
