// Package acme gets certificates for Roost from pebble, the authority that Let's
// Encrypt tests its clients with.
package acme

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"testing"
	"time"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/autocert"
	"github.com/roostgo/roost/test/client"
)

const (
	patience = 30 * time.Second
	host     = "roost.example"
)

// seat is a channel that lets everybody in.
type seat struct{}

func (*seat) Join(context.Context, *roost.Socket, roost.Payload) (roost.Reply, error) {
	return roost.ReplyOK(nil), nil
}

// serve runs a server with automatic certificates on a listener until the
// function that it returns is called.
func serve(t *testing.T, l net.Listener, config autocert.Config) (server *roost.Server, stop func()) {
	t.Helper()
	automatic, err := autocert.New(config)
	if err != nil {
		t.Fatal(err)
	}
	endpoint := roost.NewEndpoint(roost.Config{})
	endpoint.Channel("room:*", roost.ChannelOf((*seat).Join))
	server = &roost.Server{Endpoint: endpoint, Listener: l, TLS: &roost.TLS{Config: automatic, HandshakeTimeout: patience}}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }() // ends with stop
	return server, func() {
		t.Helper()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// visit connects and joins with a client that trusts the authority alone, and
// returns the certificate that it was shown.
func visit(t *testing.T, address string, roots *x509.CertPool) *x509.Certificate {
	t.Helper()
	c := client.Open(t, "wss://"+address+"/socket/websocket?vsn=2.0.0", client.Options{
		TLS: &tls.Config{RootCAs: roots, ServerName: host, MinVersion: tls.VersionTLS13}, Timeout: patience,
	})
	c.Join(t, "room:1", "1", "")
	shown := c.NetConn().(*tls.Conn).ConnectionState().PeerCertificates[0]
	c.Drop()
	return shown
}

func TestAServerGetsItsCertificateAndKeepsIt(t *testing.T) {
	l := listen(t, "127.0.0.1:0")
	address := l.Addr().String()
	a := newAuthority(t, l.Addr().(*net.TCPAddr).Port)
	config := autocert.Config{Hosts: []string{host}, Dir: t.TempDir(), Email: "keeper@roost.example", Directory: a.directory}

	server, stop := serve(t, l, config)
	first := visit(t, address, a.roots)
	if len(first.DNSNames) != 1 || first.DNSNames[0] != host {
		t.Errorf("the certificate is for %v", first.DNSNames)
	}
	if issued := a.issued.Load(); issued != 1 {
		t.Errorf("the authority was asked for %d certificates", issued)
	}
	if again := visit(t, address, a.roots); !again.Equal(first) {
		t.Error("the second client was shown another certificate")
	}
	elsewhere := &tls.Config{RootCAs: a.roots, ServerName: "elsewhere.example", MinVersion: tls.VersionTLS13}
	if c, err := tls.Dial("tcp", address, elsewhere); err == nil {
		t.Error("there is a certificate for a host that is not ours")
		_ = c.Close()
	}
	if s := server.Stats().TLS; s.Done < 3 { // the authority's own visit is one of them
		t.Errorf("%+v", s)
	}
	stop()

	_, stop = serve(t, listen(t, address), config)
	if kept := visit(t, address, a.roots); !kept.Equal(first) || a.issued.Load() != 1 {
		t.Errorf("after a restart: the same certificate %v, %d were issued", kept.Equal(first), a.issued.Load())
	}
	stop()
}

func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
