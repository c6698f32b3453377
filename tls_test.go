package roost_test

import (
	"context"
	"crypto/tls"
	"strings"
	"testing"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/internal/testcert"
	"github.com/roostgo/roost/test/client"
)

func (r *running) secureURL() string {
	return "wss://" + r.addr + "/socket/websocket?vsn=2.0.0"
}

func TestAServerSpeaksTLSAndConnectSeesTheClientsCertificate(t *testing.T) {
	server, visitor := testcert.New(t, "roost.example"), testcert.New(t, "visitor.example")
	server.Write(t, t.TempDir())
	visitor.Write(t, t.TempDir())
	names := make(chan string, 2)
	endpoint := roost.NewEndpoint(roost.Config{Connect: func(_ context.Context, c *roost.Connect) error {
		names <- c.Info().PeerCert.Subject.CommonName
		return nil
	}})
	endpoint.Channel("room:*", func() roost.Channel { return &guest{new(diary)} })
	r := start(t, &roost.Server{Endpoint: endpoint, TLS: &roost.TLS{
		CertFile: server.CertFile, KeyFile: server.KeyFile, ClientCAFile: visitor.CertFile,
	}})
	config := &tls.Config{
		RootCAs: testcert.Pool(server), ServerName: "roost.example", Certificates: []tls.Certificate{visitor.TLS},
		MinVersion: tls.VersionTLS12, ClientSessionCache: tls.NewLRUClientSessionCache(1),
	}
	for i := range 2 {
		c := client.Open(t, r.secureURL(), client.Options{TLS: config})
		if got := receive(t, names, "name"); got != "visitor.example" {
			t.Errorf("Connect saw the certificate of %s", got)
		}
		c.Join(t, "room:1", "1", "")
		if did := c.NetConn().(*tls.Conn).ConnectionState().DidResume; did != (i == 1) {
			t.Errorf("connection %d: resumed %v", i, did)
		}
		c.Drop()
	}
	old := config.Clone()
	old.MaxVersion = tls.VersionTLS12
	if _, _, err := client.Dial(t.Context(), r.secureURL(), client.Options{TLS: old}); err == nil || !strings.Contains(err.Error(), "version") {
		t.Errorf("TLS 1.2: %v", err)
	}
	r.stop()
	r.expectEnd(t)
}

func TestTLS12IsSpokenWhereItIsAllowed(t *testing.T) {
	pair := testcert.New(t, "roost.example")
	r := start(t, &roost.Server{TLS: &roost.TLS{
		MinVersion: tls.VersionTLS12, Config: &tls.Config{Certificates: []tls.Certificate{pair.TLS}}, //nolint:gosec // TLS.MinVersion goes first
	}})
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		c := client.Open(t, r.secureURL(), client.Options{TLS: &tls.Config{
			RootCAs: testcert.Pool(pair), ServerName: "roost.example", MinVersion: version, MaxVersion: version,
		}})
		c.Drop()
	}
}

func TestWrongTLSSettingsAreExplained(t *testing.T) {
	for want, settings := range map[string]*roost.TLS{
		"go together":          {CertFile: "cert.pem"},
		"has no cert":          {},
		"needs CertFile":       {ClientCAFile: "ca.pem", Config: new(tls.Config)},
		"SetSessionTicketKeys": {TicketKeysFile: "tickets", Config: new(tls.Config)},
		"RFC 8996":             {Config: new(tls.Config), MinVersion: tls.VersionTLS10},
		"of its Config":        {Config: &tls.Config{MinVersion: tls.VersionTLS11}},
		"negative":             {Config: new(tls.Config), Computing: -1},
		"has h2":               {Config: &tls.Config{NextProtos: []string{"h2", "http/1.1"}}},
		"nowhere.pem":          {CertFile: "nowhere.pem", KeyFile: "nowhere.pem"},
	} {
		r := launch(t, &roost.Server{TLS: settings})
		if err := receive(t, r.ended, "error"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
