package roost_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/telemetry"
	"github.com/roostgo/roost/test/client"
)

func TestWhoIsRefusedForHisIDIsNotReportedAsConnected(t *testing.T) {
	events := make(chan telemetry.SocketConnected, 10)
	e := roost.NewEndpoint(roost.Config{
		Limits:  roost.Limits{MaxPerID: 1},
		Connect: func(_ context.Context, c *roost.Connect) error { c.ID = "user:1"; return nil },
		Telemetry: []telemetry.Handler{listener{handle: func(e telemetry.Event) {
			if s, ok := e.(telemetry.SocketConnected); ok {
				events <- s
			}
		}}},
	})
	url := start(t, &roost.Server{Endpoint: e}).url("/socket/websocket")
	client.Open(t, url, client.Options{})
	if s := receive(t, events, "event"); !s.OK || s.Err != nil {
		t.Errorf("the first: %+v", s)
	}
	client.Refused(t, url, client.Options{}, http.StatusTooManyRequests)
	if s := receive(t, events, "event"); s.OK || s.Err == nil || s.ID != "user:1" {
		t.Errorf("429, and reported is %+v", s)
	}
}
