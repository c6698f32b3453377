package tlsrecord

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// slowSigner is a key that signs when it is let.
type slowSigner struct {
	crypto.Signer

	begun, let chan struct{}
}

func (s slowSigner) Sign(r io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	s.begun <- struct{}{}
	<-s.let
	return s.Signer.Sign(r, digest, o)
}

func TestHandshakesComputeNoMoreThanAllowedAtATime(t *testing.T) {
	for name, change := range map[string]func(server, client *tls.Config){
		"TLS 1.3": func(*tls.Config, *tls.Config) {},
		"TLS 1.3, after a HelloRetryRequest": func(server, _ *tls.Config) {
			server.CurvePreferences = []tls.CurveID{tls.CurveP384} // for which clients have no share at first
		},
		"TLS 1.2": func(_, client *tls.Config) { client.MaxVersion = tls.VersionTLS12 },
	} {
		t.Run(name, func(t *testing.T) {
			const clients, allowed = 6, 2
			signer := slowSigner{begun: make(chan struct{}, clients), let: make(chan struct{})}
			s := newStage(t, func(server, client *tls.Config) {
				change(server, client)
				signer.Signer = server.Certificates[0].PrivateKey.(crypto.Signer)
				server.Certificates[0].PrivateKey = signer
			})
			var wait sync.WaitGroup
			for range clients {
				wait.Go(func() {
					c, err := tls.Dial("tcp", s.address, s.client)
					if err != nil {
						t.Error(err)
						return
					}
					_ = c.Close()
				})
			}
			for range allowed {
				<-signer.begun
			}
			s.awaitQueue(clients - allowed)
			if n := len(signer.begun); n != 0 {
				t.Errorf("%d more compute", n)
			}
			close(signer.let)
			wait.Wait()
			if s.server.Waited() < clients-allowed {
				t.Errorf("%d have waited", s.server.Waited())
			}
		})
	}
}

// awaitQueue waits until so many handshakes wait for a place, while those who
// have one keep it.
func (s *stage) awaitQueue(n int) {
	s.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for late := time.After(patience); ; {
		g := s.server.gate
		g.mu.Lock()
		waiting := len(g.anew) + len(g.back)
		g.mu.Unlock()
		if waiting == n {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			s.t.Fatalf("%d handshakes wait", waiting)
		}
	}
}

// An authority makes a handshake of its own before it gives a certificate out.
func TestACallbackThatWaitsForAnotherHandshakeKeepsNoPlace(t *testing.T) {
	for name, wait := range map[string]func(server *tls.Config, first func()){
		"GetCertificate": func(server *tls.Config, first func()) {
			own := server.Certificates[0]
			server.Certificates = nil
			server.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { first(); return &own, nil }
		},
		"GetConfigForClient": func(server *tls.Config, first func()) {
			server.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { first(); return nil, nil } //nolint:nilnil // crypto/tls says so
		},
		"VerifyPeerCertificate": func(server *tls.Config, first func()) {
			server.ClientAuth = tls.RequireAnyClientCert
			server.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error { first(); return nil }
		},
		"VerifyConnection": func(server *tls.Config, first func()) {
			server.ClientAuth = tls.RequireAnyClientCert
			server.VerifyConnection = func(tls.ConnectionState) error { first(); return nil }
		},
	} {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int64
			waiting, others := make(chan struct{}), make(chan struct{})
			s := newStage(t, func(server, client *tls.Config) {
				client.Certificates = server.Certificates
				wait(server, func() {
					if calls.Add(1) <= 2 { // as many as may compute
						waiting <- struct{}{}
						<-others
					}
				})
			})
			done := make(chan struct{}, 2)
			for range 2 {
				go func() { // ends with its handshake
					defer func() { done <- struct{}{} }()
					c, err := tls.Dial("tcp", s.address, s.client)
					if err != nil {
						t.Error(err)
						return
					}
					_ = c.Close()
				}()
				<-waiting
			}
			c, _ := s.dial(s.client, nil)
			s.goodbye(c)
			close(others)
			<-done
			<-done
		})
	}
}

// crypto/tls verifies without a certificate, too, when it has answered: then the
// handshake has no place, and it is the client's turn.
func TestACallbackIsTheServersTurn(t *testing.T) {
	cert, pool := certificate(t)
	var servers, inside bool
	server := NewServer(&tls.Config{
		Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13,
		VerifyConnection: func(tls.ConnectionState) error { inside = servers; return nil },
	}, 1)
	a, b := net.Pipe()
	defer a.Close()
	done := make(chan error)
	go func() { // ends with the handshake
		done <- tls.Client(b, &tls.Config{RootCAs: pool, ServerName: "localhost", MinVersion: tls.VersionTLS13}).Handshake()
	}()
	if _, err := server.Handshake(t.Context(), a, func(s bool) { servers = s }); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if !inside || servers {
		t.Errorf("the server's turn: %v in the callback, %v at the end", inside, servers)
	}
}

func TestAHandshakeThatWaitsForItsTurnEndsWithItsContext(t *testing.T) {
	cert, pool := certificate(t)
	server := NewServer(&tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13}, 1)
	if err := server.gate.enter(t.Context(), false); err != nil { // somebody computes, and goes on
		t.Fatal(err)
	}
	a, b := net.Pipe()
	defer a.Close()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { // ends with the pipe
		defer close(done)
		_ = tls.Client(b, &tls.Config{RootCAs: pool, ServerName: "localhost", MinVersion: tls.VersionTLS13}).Handshake()
	}()
	go func() { // ends when the handshake waits, or with patience
		defer cancel()
		(&stage{t: t, server: server}).awaitQueue(1)
	}()
	if _, err := server.Handshake(ctx, a, nobody); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	_ = b.Close()
	<-done
	if server.gate.free != 0 || len(server.gate.anew) != 0 {
		t.Error("it took a place, or gave away another's")
	}
}

// nobody need know whose turn it is.
func nobody(bool) {}

func TestWhoComesBackGoesFirst(t *testing.T) {
	g := newGate(1)
	if err := g.enter(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	anew, later, back := g.queue(false), g.queue(false), g.queue(true)
	var come []turn
	for _, next := range []turn{back, anew, later} {
		g.leave(0)
		if come = append(come, next); len(over(come...)) != len(come) || len(over(anew, later, back)) != len(come) {
			t.Errorf("after %d: not in their turn", len(come))
		}
	}
	if g.leave(0); g.free != 1 {
		t.Errorf("%d places are free", g.free)
	}
}

// over are the turns that have come.
func over(turns ...turn) (come []turn) {
	for _, t := range turns {
		select {
		case <-t:
			come = append(come, t)
		default:
		}
	}
	return come
}

func TestAPlaceRestsAsLongAsItWasUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1)
		for _, one := range []struct{ did, rests time.Duration }{
			{3 * time.Millisecond, 3 * time.Millisecond}, {700 * time.Microsecond, 0}, {600 * time.Microsecond, 1300 * time.Microsecond}, {0, 0},
		} {
			if err := g.enter(t.Context(), false); err != nil {
				t.Fatal(err)
			}
			g.leave(one.did)
			began := time.Now()
			if err := g.enter(t.Context(), false); err != nil {
				t.Fatal(err)
			}
			if rested := time.Since(began); rested != one.rests {
				t.Errorf("after %v it rested for %v", one.did, rested)
			}
			g.pass()
		}
	})
}

func TestATurnThatComesTooLateIsGivenOn(t *testing.T) {
	g := newGate(1)
	if err := g.enter(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	first, second := g.queue(false), g.queue(false)
	if !g.abandon(first) {
		t.Error("it had not come")
	}
	if g.leave(0); len(over(second)) != 1 {
		t.Error("nobody goes in")
	}
	if g.abandon(second) {
		t.Error("it has come")
	}
}
