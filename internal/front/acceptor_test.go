package front_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/roostgo/roost/internal/front"
)

func TestPlainRequestsThatDoNotEndAreCutOffAndReported(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	entered, cut := make(chan struct{}), make(chan struct{})
	endless := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
		close(cut)
	})
	r := front.NewRequests(&http.Server{Handler: endless}, 10*time.Millisecond) //nolint:gosec // no time-outs: the request is to stay
	f := front.NewAcceptor(front.AcceptorConfig{Requests: r, Listener: l})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended, answered := make(chan error, 1), make(chan error, 1)
	go func() { ended <- errors.Join(f.Run(ctx), r.Run(ctx)) }() // ends with stop; read below
	<-f.Ready()
	go func() { answered <- fetch("http://" + l.Addr().String()) }() // ends when it is cut; read below
	<-entered
	stop()
	if err := <-ended; !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "cut off") {
		t.Errorf("got %v", err)
	}
	<-cut
	if err := <-answered; err == nil {
		t.Error("the request was answered")
	}
}

func TestWhoHasNotAskedWholeIsNotMissed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := front.NewRequests(&http.Server{Handler: http.NotFoundHandler()}, 10*time.Millisecond) //nolint:gosec // no time-outs: the request is to stay
	f := front.NewAcceptor(front.AcceptorConfig{Requests: r, Listener: l})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- errors.Join(f.Run(ctx), r.Run(ctx)) }() // ends with stop; read below
	<-f.Ready()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close() //nolint:errcheck // cut by then
	if _, err := c.Write([]byte("GET / HTTP/1.1\r\nHost: local")); err != nil {
		t.Fatal(err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("half a request made the end a failure: %v", err)
	}
}

func fetch(url string) error {
	resp, err := http.Get(url) //nolint:gosec,noctx // of this test's own server
	if err != nil {
		return err
	}
	return resp.Body.Close()
}
