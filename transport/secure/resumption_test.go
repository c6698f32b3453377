package secure_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/roostgo/roost/internal/testcert"
	"github.com/roostgo/roost/transport/secure"
)

// A session's ticket holds the client's certificate: it is no way in once the
// authorities no longer vouch for that.
func TestAResumedSessionNeedsAnAuthorityThatIsThereStill(t *testing.T) {
	dir := t.TempDir()
	server, ours, other := testcert.New(t, "roost.example"), testcert.New(t, "ours.example"), testcert.New(t, "other.example")
	server.Write(t, dir)
	authorities := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(authorities, ours.CertPEM, 0o600); err != nil {
		t.Fatal(err)
	}
	changed := make(chan error, 1)
	r, err := secure.NewReloader(secure.Files{
		Cert: server.CertFile, Key: server.KeyFile, ClientCA: authorities, Every: 10 * time.Millisecond, Report: func(err error) { changed <- err },
	})
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = r.Run(t.Context()) }() // ends with the test
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := secure.Listen(inner, secure.Config{TLS: r.Config()})
	defer l.Close() //nolint:errcheck // the end of a test
	go greet(l)     // ends with the listener

	client := &tls.Config{
		RootCAs: testcert.Pool(server), ServerName: "roost.example", MinVersion: tls.VersionTLS13,
		Certificates: []tls.Certificate{ours.TLS}, ClientSessionCache: tls.NewLRUClientSessionCache(1),
	}
	enter := func() (resumed bool, heard string) {
		c, err := tls.Dial("tcp", l.Addr().String(), client)
		if err != nil {
			return false, ""
		}
		defer c.Close() //nolint:errcheck // nothing is lost
		_ = c.SetDeadline(time.Now().Add(patience))
		b, _ := io.ReadAll(c)
		return c.ConnectionState().DidResume, string(b)
	}
	for _, resumes := range []bool{false, true} {
		if resumed, heard := enter(); resumed != resumes || heard != "hello" {
			t.Fatalf("resumed %v, heard %q, want %v and hello", resumed, heard, resumes)
		}
	}
	next := filepath.Join(dir, "next.pem") // in one step: half a file would be reported
	if err := errors.Join(os.WriteFile(next, append(other.CertPEM, '\n'), 0o600), os.Rename(next, authorities)); err != nil {
		t.Fatal(err)
	}
	if err := <-changed; err != nil {
		t.Fatal(err)
	}
	if resumed, heard := enter(); heard != "" {
		t.Errorf("resumed %v, heard %q: nobody vouches for it any more", resumed, heard)
	}
}

// greet says hello to all who get in.
func greet(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = io.WriteString(c, "hello")
		_ = c.Close()
	}
}
