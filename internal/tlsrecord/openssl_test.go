package tlsrecord

import (
	"bufio"
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
)

var opensslNames = map[Suite]string{
	AES128: "TLS_AES_128_GCM_SHA256", AES256: "TLS_AES_256_GCM_SHA384", ChaCha20: "TLS_CHACHA20_POLY1305_SHA256",
}

// sClient is `openssl s_client`. A line that is "K" has it change its keys and
// ask for ours, "k" only change its own, "Q" say goodbye.
type sClient struct {
	t    *testing.T
	in   io.Writer
	out  *bufio.Scanner
	wait func() error
}

func startSClient(t *testing.T, s *stage, args ...string) *sClient {
	t.Helper()
	path, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("there is no openssl")
	}
	cmd := exec.CommandContext(t.Context(), path, append([]string{"s_client", "-connect", s.address, "-servername", "localhost"}, args...)...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	t.Cleanup(func() { stop.Stop() })
	c := &sClient{t: t, in: in, out: bufio.NewScanner(out), wait: cmd.Wait}
	c.out.Buffer(nil, 1<<20)
	return c
}

func (c *sClient) say(line string) {
	c.t.Helper()
	if _, err := io.WriteString(c.in, line+"\n"); err != nil {
		c.t.Fatal(err)
	}
}

// expect reads lines until one contains what is wanted.
func (c *sClient) expect(want string) {
	c.t.Helper()
	var seen []string
	for c.out.Scan() {
		if strings.Contains(c.out.Text(), want) {
			return
		}
		seen = append(seen, c.out.Text())
	}
	c.t.Fatalf("openssl did not print %q, but\n%s", want, strings.Join(seen, "\n"))
}

func (c *Conn) secrets() (in, out [maxSecret]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.in.secret, c.state.out.secret
}

func TestOpenSSLTalksAndChangesItsKeys(t *testing.T) {
	onEachSuite(t, func(t *testing.T, suite Suite) {
		s := newStage(t, nil)
		c := startSClient(t, s, "-ciphersuites", opensslNames[suite])
		carrier, ok := s.next().(*Conn)
		if !ok {
			t.Fatal("not taken over")
		}
		if got := Suite(carrier.facts.CipherSuite); got != suite {
			t.Fatalf("the suite is %#x", uint16(got))
		}
		c.say("hello")
		c.expect("hello")
		for _, key := range []string{"k", "K", "K", "k"} {
			in, out := carrier.secrets()
			c.say(key)
			c.expect("KEYUPDATE")
			c.say("said after the change")
			c.expect("said after the change")
			newIn, newOut := carrier.secrets()
			if newIn == in || (newOut != out) != (key == "K") {
				t.Errorf("%s: changed in %v, out %v", key, newIn != in, newOut != out)
			}
		}
		c.say(strings.Repeat("long ", 2000))
		c.expect(strings.Repeat("long ", 1500))
		c.say("Q")
		if err := c.drain(); err != nil {
			t.Errorf("openssl ended with %v", err)
		}
		if err := carrier.ended(t); err != io.EOF { //nolint:errorlint // it must be exactly that
			t.Errorf("the connection ended with %v", err)
		}
	})
}

func TestOpenSSLFollowsTheServersChangeOfKeys(t *testing.T) {
	onEachSuite(t, func(t *testing.T, suite Suite) {
		s := newStage(t, nil)
		c := startSClient(t, s, "-ciphersuites", opensslNames[suite], "-msg")
		carrier := s.next().(*Conn)
		c.say("hello")
		c.expect("hello")
		for range 3 {
			_, out := carrier.secrets()
			carrier.owe()
			c.say("said before the change")
			c.expect("KeyUpdate")
			c.expect("said before the change")
			if _, now := carrier.secrets(); now == out {
				t.Error("the key is the same")
			}
		}
		c.say("Q")
		if err := c.drain(); err != nil {
			t.Errorf("openssl ended with %v", err)
		}
	})
}

// owe has the server change its keys before it says more.
func (c *Conn) owe() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.owed = true
}

func TestOpenSSLThatDoesNothingButChangeItsKeysIsCut(t *testing.T) {
	s := newStage(t, nil)
	c := startSClient(t, s)
	carrier := s.next().(*Conn)
	for range maxCredit/updateCost + 1 {
		c.say("K")
		c.expect("KEYUPDATE")
	}
	if err := carrier.ended(t); err != unexpectedMessage { //nolint:errorlint // it must be exactly that
		t.Errorf("the connection ended with %v", err)
	}
	c.expect("unexpected message")
	_ = c.drain() // it has failed, as it says
}

// TLS 1.2 has renegotiation, which crypto/tls does not do.
func TestOpenSSLCannotRenegotiate(t *testing.T) {
	s := newStage(t, nil)
	c := startSClient(t, s, "-no_tls1_3")
	s.next()
	c.say("hello")
	c.expect("hello")
	c.say("R")
	c.expect("RENEGOTIATING")
	c.expect("alert")
	_ = c.drain() // it has failed, as it says
}

func TestOpenSSLIsToldOfTheEnd(t *testing.T) {
	for name, end := range map[string]func(*Conn) error{"half": (*Conn).CloseWrite, "both halves": (*Conn).Close} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, nil)
			c := startSClient(t, s, "-msg")
			carrier := s.next().(*Conn)
			c.say("hello")
			c.expect("hello")
			carrier.writeMu.Lock()                                                 // the echo has been written, to its end
			carrier.writeMu.Unlock()                                               //nolint:staticcheck // as above
			if err := end(carrier); err != nil && !errors.Is(err, net.ErrClosed) { // openssl hangs up, too, and then the stage closes
				t.Error(err)
			}
			c.expect("warning close_notify")
			if err := c.drain(); err != nil { // as with an end that nobody announced
				t.Errorf("openssl ended with %v", err)
			}
		})
	}
}

func TestOpenSSLWithoutTLS13(t *testing.T) {
	for name, want := range map[string]struct {
		least uint16
		line  string
	}{
		"is refused where TLS 1.3 is the least": {tls.VersionTLS13, "alert protocol version"},
		"is let in where TLS 1.2 is the least":  {tls.VersionTLS12, "New, TLSv1.2"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, func(server, _ *tls.Config) { server.MinVersion = want.least })
			c := startSClient(t, s, "-no_tls1_3")
			c.expect(want.line)
			if want.least == tls.VersionTLS13 {
				if err := <-s.failed; err == nil {
					t.Error("the handshake succeeded")
				}
				_ = c.drain() // it has failed, as it says
				return
			}
			if _, ok := s.next().(*tls.Conn); !ok {
				t.Error("taken over")
			}
			c.say("hello")
			c.expect("hello")
			c.say("Q")
			if err := c.drain(); err != nil {
				t.Errorf("openssl ended with %v", err)
			}
		})
	}
}

func (c *sClient) drain() error {
	for c.out.Scan() {
	}
	return c.wait()
}

// ended is why the client's half is over.
func (c *Conn) ended(t *testing.T) error {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(patience); ; {
		c.readMu.Lock()
		err := c.readErr
		c.readMu.Unlock()
		if err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatal("the connection goes on")
		}
	}
}

func TestOpenSSLResumesASession(t *testing.T) {
	s := newStage(t, nil)
	ticket := filepath.Join(t.TempDir(), "ticket")
	for i, args := range [][]string{{"-sess_out", ticket}, {"-sess_in", ticket}} {
		c := startSClient(t, s, args...)
		c.say("hello")
		c.expect("hello")
		carrier := s.next().(*Conn)
		if did := carrier.ConnectionState().DidResume; did != (i == 1) {
			t.Errorf("connection %d: resumed %v", i, did)
		}
		c.say("Q")
		if err := c.drain(); err != nil {
			t.Errorf("openssl ended with %v", err)
		}
		if _, err := os.Stat(ticket); err != nil {
			t.Fatal(err)
		}
	}
}

// Go's client offers ChaCha20 first where the processor does not help with AES.
func TestGoClientsWithoutHardwareAESAreTakenOver(t *testing.T) {
	if !strings.Contains(os.Getenv("GODEBUG"), "cpu.aes=off") {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), "GODEBUG=cpu.aes=off,cpu.pclmulqdq=off")
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS") {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	s := newStage(t, func(_, client *tls.Config) { client.ClientSessionCache = tls.NewLRUClientSessionCache(1) })
	c, carrier := s.dial(s.client, nil)
	if got := c.ConnectionState().CipherSuite; Suite(got) != ChaCha20 || !isTaken(carrier) {
		t.Errorf("suite %#x, %T", got, carrier)
	}
	s.echoes(c, large)
	s.goodbye(c)
}
