package roost_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/ratelimit"
)

func TestImpossibleSettingsOfAServerAreExplainedTogether(t *testing.T) {
	s := &roost.Server{
		Addr: "127.0.0.1:0", Services: []roost.Service{nil}, DrainDelay: -1, ReadHeaderTimeout: -2, ReadTimeout: -3, IdleTimeout: -4, MaxHeaderBytes: -5,
		AddressRate: ratelimit.Limit{Rate: -6},
		TLS:         &roost.TLS{CertFile: "a", KeyFile: "b", Reload: -7 * time.Second, HandshakeTimeout: -8 * time.Second, Handshakes: -9},
	}
	err := s.Run(t.Context())
	if err == nil {
		t.Fatal("it ran")
	}
	for _, want := range []string{
		"Server.Endpoint is nil", "one of Server.Services is nil", "Server.DrainDelay is -1ns", "Server.ReadHeaderTimeout is -2ns",
		"Server.ReadTimeout is -3ns", "Server.IdleTimeout is -4ns", "Server.MaxHeaderBytes is -5", "Server.AddressRate: ratelimit: impossible",
		"TLS.Reload is -7s", "TLS.HandshakeTimeout is -8s", "TLS.Handshakes is -9",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
}

func TestANegativeSettingOfAServerThatMeansNoBoundIsAccepted(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	s := &roost.Server{
		Endpoint: roost.NewEndpoint(roost.Config{}), Addr: "127.0.0.1:0",
		AcceptRate: -1, MaxHandshakes: -1, MaxHandshakesPerAddress: -1, WriteTimeout: -1,
	}
	stop()
	if err := s.Run(ctx); err != nil {
		t.Error(err)
	}
}
