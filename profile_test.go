package roost

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/roostgo/roost/pubsub"
	"github.com/roostgo/roost/pubsub/pubsubtest"
	"github.com/roostgo/roost/transport"
)

// mute is an adapter that answers when it is told to.
type mute struct {
	pubsub.Adapter
	answer chan struct{}
}

func (m *mute) Subscribe(ctx context.Context, topic string) error {
	<-m.answer
	return m.Adapter.Subscribe(ctx, topic)
}

// lobby is an endpoint on a mute adapter that gives its clients an id, and a
// request to connect to it.
func lobby() (*mute, connector, *transport.Handshake) {
	a := &mute{new(pubsubtest.Hub).Node("a"), make(chan struct{})}
	e := NewEndpoint(Config{
		PubSub: pubsub.New(pubsub.Config{Adapter: a}),
		Connect: func(_ context.Context, c *Connect) error {
			c.ID = "user:1"
			return nil
		},
	})
	return a, connector{e}, &transport.Handshake{Request: httptest.NewRequest(http.MethodGet, "/", nil)}
}

func TestAClientThatLeavesWhileItsIDIsSubscribedKeepsNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, k, h := lobby()
		ctx, leave := context.WithCancel(t.Context())
		var session transport.Session
		answered := false
		go func() {
			session, _ = k.Connect(ctx, h)
			answered = true
		}()
		synctest.Wait()
		if answered {
			t.Error("nobody waited for the adapter")
		}
		leave()
		synctest.Wait()
		if !answered || session != nil {
			t.Errorf("answered %v, with session %v", answered, session)
		}
		close(a.answer)
		synctest.Wait()
		if n := k.endpoint.bus.Topics(); n != 0 {
			t.Errorf("%d topics are left", n)
		}
	})
}

func TestAnIDsSubscriptionOutlivesItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, k, h := lobby()
		close(a.answer)
		ctx, done := context.WithCancel(t.Context())
		session, _ := k.Connect(ctx, h)
		done()
		synctest.Wait()
		if n := k.endpoint.bus.Subscribers("user:1"); n != 1 {
			t.Errorf("%d subscriptions", n)
		}
		session.Closed(transport.ErrClientGone)
		if n := k.endpoint.bus.Subscribers("user:1"); n != 0 {
			t.Errorf("%d subscriptions after the end", n)
		}
	})
}

// deaf is an adapter that subscribes nothing.
type deaf struct{ pubsub.Adapter }

func (deaf) Subscribe(context.Context, string) error { return errors.ErrUnsupported }

func TestAClientWhoseIDCannotBeSubscribedIsToldWhyAndWhenToComeBack(t *testing.T) {
	_, k, h := lobby()
	c := k.endpoint.config
	c.PubSub = pubsub.New(pubsub.Config{Adapter: deaf{new(pubsubtest.Hub).Node("a")}})
	e := NewEndpoint(c)
	session, no := connector{e}.Connect(t.Context(), h)
	if session != nil || no == nil {
		t.Fatal("it came in")
	}
	w := httptest.NewRecorder()
	no.ServeHTTP(w, h.Request)
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), `"reason":"bus cannot be reached"`) {
		t.Errorf("got %d %v %s", w.Code, w.Header(), w.Body)
	}
	if n := e.Stats().ConnectsFailed; n != 1 {
		t.Errorf("counted %d times", n)
	}
}
