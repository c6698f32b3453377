package roost

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
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
	f := &front{server: &http.Server{Handler: endless}, listener: l, grace: 10 * time.Millisecond, ready: make(chan struct{})} //nolint:gosec // no time-outs: the request is to stay
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended, answered := make(chan error, 1), make(chan error, 1)
	go func() { ended <- f.Run(ctx) }() // ends with stop; read below
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

func fetch(url string) error {
	resp, err := http.Get(url) //nolint:gosec,noctx // of this test's own server
	if err != nil {
		return err
	}
	return resp.Body.Close()
}
