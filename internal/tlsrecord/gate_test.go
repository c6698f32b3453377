package tlsrecord

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

func TestHandshakesComputeNoMoreThanAllowedAtATime(t *testing.T) {
	var inside, high, all atomic.Int64
	s := newStage(t, func(server, _ *tls.Config) {
		sign := server.Certificates[0]
		server.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			n := inside.Add(1)
			for h := high.Load(); n > h && !high.CompareAndSwap(h, n); h = high.Load() {
			}
			all.Add(1)
			defer inside.Add(-1)
			return &sign, nil
		}
		server.Certificates = nil
	})
	var wait sync.WaitGroup
	for range 40 {
		wait.Go(func() {
			c, err := tls.Dial("tcp", s.address, s.client)
			if err != nil {
				t.Error(err)
				return
			}
			_ = c.Close()
		})
	}
	wait.Wait()
	if high.Load() > 2 || all.Load() != 40 {
		t.Errorf("%d of %d at a time", high.Load(), all.Load())
	}
}

func TestAHandshakeThatWaitsForItsTurnEndsWithItsContext(t *testing.T) {
	cert, pool := certificate(t)
	server := NewServer(&tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13}, 1)
	server.gate <- struct{}{} // somebody computes, and goes on
	a, b := net.Pipe()
	defer a.Close()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { // ends with the pipe
		defer close(done)
		_ = tls.Client(b, &tls.Config{RootCAs: pool, ServerName: "localhost", MinVersion: tls.VersionTLS13}).Handshake()
	}()
	context.AfterFunc(ctx, func() { _ = b.Close() })
	go cancel() // ends at once
	if _, err := server.Handshake(ctx, a); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	<-done
	if len(server.gate) != 1 {
		t.Error("it took a place, or gave away another's")
	}
}
