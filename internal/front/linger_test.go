package front_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/roostgo/roost/internal/front"
)

// stillness is a listener to which nobody comes.
type stillness struct {
	closed chan struct{}
	once   sync.Once
}

func (s *stillness) Accept() (net.Conn, error) {
	<-s.closed
	return nil, net.ErrClosed
}

func (s *stillness) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

func (s *stillness) Addr() net.Addr { return &net.TCPAddr{} }

func TestAServerGoesOnForItsDelayWhenItsEndIsWishedFor(t *testing.T) {
	for name, tt := range map[string]struct {
		wished bool
		want   time.Duration
	}{"wished": {true, time.Minute}, "forced": {false, 0}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := &stillness{closed: make(chan struct{})}
				wish, asked := context.WithCancel(t.Context())
				ctx, stop := context.WithCancel(t.Context())
				defer asked()
				r := front.NewRequests(&http.Server{Handler: http.NotFoundHandler()}, time.Second) //nolint:gosec // nobody comes
				f := front.NewAcceptor(front.AcceptorConfig{Requests: r, Listener: l, Asked: wish.Done(), Delay: time.Minute})
				ended := make(chan error, 1)
				go func() { ended <- errors.Join(f.Run(ctx), r.Run(ctx)) }() // ends with stop; read below
				<-f.Ready()
				if tt.wished {
					asked()
				}
				began := time.Now()
				stop()
				<-l.closed
				if took := time.Since(began); took != tt.want {
					t.Errorf("the listener was closed after %v, want %v", took, tt.want)
				}
				if err := <-ended; err != nil {
					t.Error(err)
				}
			})
		})
	}
}
