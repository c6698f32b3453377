package roost

import (
	"strings"
	"testing"
	"unsafe"

	"github.com/roostgo/roost/transport"
)

// What a transport says of a slow client names it.
var _ transport.Named = (*client)(nil)

func TestASlowConsumerPolicyHasDefaultBounds(t *testing.T) {
	for _, tt := range []struct {
		policy SlowConsumer
		want   *transport.Thinning
	}{
		{CloseSlow{}, nil},
		{DropOldest{}, &transport.Thinning{Bytes: 256 << 10, Frames: 1024}},
		{DropOldest{Frames: 7}, &transport.Thinning{Bytes: 256 << 10, Frames: 7}},
		{KeepLatest{}, &transport.Thinning{Latest: true, Bytes: 256 << 10, Frames: 1024}},
		{KeepLatest{Bytes: 7}, &transport.Thinning{Latest: true, Bytes: 7, Frames: 1024}},
	} {
		got, err := tt.policy.thinning()
		if err != nil || (got == nil) != (tt.want == nil) || got != nil && *got != *tt.want {
			t.Errorf("%#v: got %+v, %v", tt.policy, got, err)
		}
	}
}

func TestNegativeBoundsOfASlowConsumerPolicyPanicWithTheMend(t *testing.T) {
	for _, policy := range []SlowConsumer{DropOldest{Bytes: -1}, DropOldest{Frames: -1}, KeepLatest{Bytes: -1}, KeepLatest{Frames: -1}} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.Contains(text, "leave them 0") {
					t.Errorf("%#v: panicked with %q", policy, text)
				}
			}()
			WithSlowConsumer(policy)
		}()
	}
}

func TestNoPolicyAtAllPanicsWithTheMend(t *testing.T) {
	defer func() {
		if text, _ := recover().(string); !strings.Contains(text, "leave it out") {
			t.Errorf("panicked with %q", text)
		}
	}()
	WithSlowConsumer(nil)
}

func TestAChannelKnowsTheThinningOfItsRoute(t *testing.T) {
	e := NewEndpoint(Config{})
	var want []*transport.Thinning
	for i, policy := range []SlowConsumer{nil, CloseSlow{}, DropOldest{}, KeepLatest{}, DropOldest{}} {
		var opts []RouteOption
		if policy != nil {
			opts = append(opts, WithSlowConsumer(policy))
		}
		e.Channel(string(rune('a'+i)), func() Channel { return nil }, opts...)
		want = append(want, (*e.routes.Load())[i].thinning)
	}
	for i, r := range *e.routes.Load() {
		s := &Socket{client: &client{kind: &clientKind{endpoint: e}}}
		s.remember(r)
		s.set(cancelled | leaving | joinRefNull)
		if got := s.thinning(); got != want[i] || (got == nil) != (i < 2) {
			t.Errorf("route %d: got %+v, want %+v", i, got, want[i])
		}
	}
}

// One size class more is that for each idle connection.
func TestAClientIsOneCacheLine(t *testing.T) {
	if n := unsafe.Sizeof(client{}); n > 64 {
		t.Errorf("%d bytes", n)
	}
}

// A word more in each channel is 16 bytes more in each idle connection.
func TestAChannelIsTwoCacheLines(t *testing.T) {
	if n := unsafe.Sizeof(Socket{}); n > 128 {
		t.Errorf("%d bytes", n)
	}
}
