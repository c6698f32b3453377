package secure_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/roostgo/roost/internal/testcert"
	"github.com/roostgo/roost/transport/secure"
)

// node is a server with ticket keys of a file of its own.
type node struct {
	addr, file string
	changed    chan error
}

func startNode(t *testing.T, pair *testcert.Pair, key string) *node {
	t.Helper()
	n := &node{file: filepath.Join(t.TempDir(), "tickets"), changed: make(chan error, 1)}
	if err := os.WriteFile(n.file, []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := secure.NewReloader(secure.Files{
		Cert: pair.CertFile, Key: pair.KeyFile, TicketKeys: n.file, Every: 10 * time.Millisecond, Report: func(err error) { n.changed <- err },
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
	t.Cleanup(func() { _ = l.Close() })
	go greet(l) // ends with the listener
	n.addr = l.Addr().String()
	return n
}

// roll replaces the file and waits until it was read.
func (n *node) roll(t *testing.T, lines ...string) error {
	t.Helper()
	next := n.file + ".new"
	if err := errors.Join(os.WriteFile(next, []byte(strings.Join(lines, "\n")), 0o600), os.Rename(next, n.file)); err != nil {
		t.Fatal(err)
	}
	return <-n.changed
}

const (
	firstKey  = "the first key of session tickets, for a test"
	secondKey = "the second key of session tickets, for some test"
)

func TestServersWithTheSameTicketKeysResumeEachOthersSessions(t *testing.T) {
	pair := testcert.New(t, "roost.example")
	pair.Write(t, t.TempDir())
	a, b, stranger := startNode(t, pair, firstKey), startNode(t, pair, "# the same\n\n"+firstKey+"\n"), startNode(t, pair, secondKey)
	client := &tls.Config{RootCAs: testcert.Pool(pair), ServerName: "roost.example", MinVersion: tls.VersionTLS13}
	resumes := func(n *node, want bool) {
		t.Helper()
		c, err := tls.Dial("tcp", n.addr, client)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close() //nolint:errcheck // nothing is lost
		_ = c.SetDeadline(time.Now().Add(patience))
		if heard, err := io.ReadAll(c); err != nil || string(heard) != "hello" || c.ConnectionState().DidResume != want {
			t.Errorf("heard %q, %v, resumed %v", heard, err, c.ConnectionState().DidResume)
		}
	}
	client.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	resumes(a, false)
	resumes(b, true)
	resumes(a, true)
	resumes(stranger, false)
	resumes(a, false) // with a ticket of the stranger's

	// A roll: first everybody accepts the new key, then it makes tickets, then the old one goes.
	if err := errors.Join(a.roll(t, firstKey, secondKey), b.roll(t, secondKey, firstKey)); err != nil {
		t.Fatal(err)
	}
	resumes(b, true) // by the old key, and gets a ticket of the new
	resumes(a, true)
	if err := b.roll(t, secondKey); err != nil {
		t.Fatal(err)
	}
	resumes(b, false)
	if err := b.roll(t, "short"); err == nil || !strings.Contains(err.Error(), "line 1 of") || !strings.Contains(err.Error(), "32 bytes") {
		t.Error(err)
	}
	resumes(b, true) // the key before stays
}

func TestOpenSSLResumesASessionAtAnotherServer(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("there is no openssl here")
	}
	pair := testcert.New(t, "roost.example")
	pair.Write(t, t.TempDir())
	a, b, stranger := startNode(t, pair, firstKey), startNode(t, pair, firstKey), startNode(t, pair, secondKey)
	session := filepath.Join(t.TempDir(), "session.pem")
	connect := func(n *node, flag string) string {
		cmd := exec.CommandContext(t.Context(), openssl, "s_client", "-connect", n.addr, "-servername", "roost.example", "-tls1_3", "-ign_eof", flag, session) //nolint:gosec // the test's own
		out, err := cmd.CombinedOutput()
		if err != nil && !strings.Contains(string(out), "hello") {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	connect(a, "-sess_out")
	if out := connect(b, "-sess_in"); !strings.Contains(out, "Reused, TLSv1.3") {
		t.Error(out)
	}
	if out := connect(stranger, "-sess_in"); !strings.Contains(out, "New, TLSv1.3") {
		t.Error(out)
	}
}
