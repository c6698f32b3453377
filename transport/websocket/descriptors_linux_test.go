package websocket_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/roostgo/roost/internal/testleak"
	"github.com/roostgo/roost/telemetry"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport/websocket"
)

// exhaust takes all descriptors that the process may have; the result gives
// them back.
func exhaust(t *testing.T) (release func()) {
	t.Helper()
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	low := old
	low.Cur = uint64(testleak.Descriptors()) + 64
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &low); err != nil {
		t.Fatal(err)
	}
	var taken []int
	for {
		fd, err := syscall.Open("/dev/null", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
		if err != nil {
			break
		}
		taken = append(taken, fd)
	}
	var once sync.Once
	release = func() {
		once.Do(func() {
			for _, fd := range taken {
				_ = syscall.Close(fd)
			}
			_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old)
		})
	}
	t.Cleanup(release)
	return release
}

// told is a telemetry handler that keeps what it was told.
type told chan telemetry.Event

func (c told) Handle(_ context.Context, e telemetry.Event) { c <- e }
func (c told) Enabled(slog.Level) bool                     { return true }

func (c told) refused(t *testing.T, check string) {
	t.Helper()
	select {
	case e := <-c:
		r, ok := e.(telemetry.ConnectRefused)
		if !ok || r.Check != check || !errors.Is(r.Err, syscall.EMFILE) {
			t.Errorf("told %+v", e)
		}
	case <-time.After(patience):
		t.Error("nobody was told")
	}
}

// late connects to the server now and asks for the upgrade when the result is
// called, which returns the answer.
func late(t *testing.T, s *stage, accepted chan struct{}) func() (*http.Response, *bufio.Reader) {
	t.Helper()
	nc, err := net.Dial("tcp", strings.TrimPrefix(s.server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	if err := nc.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	<-accepted
	return func() (*http.Response, *bufio.Reader) {
		if _, err := nc.Write([]byte(handshake)); err != nil {
			t.Fatal(err)
		}
		in := bufio.NewReader(nc)
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		return resp, in
	}
}

func descriptorStage(t *testing.T) (*stage, told, chan struct{}) {
	t.Helper()
	events, accepted := make(told, 100), make(chan struct{}, 100)
	s := newStageOn(t, websocket.Config{Engine: websocket.EventLoops, Telemetry: telemetry.NewStream(events)}, func(h *httptest.Server) {
		h.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				accepted <- struct{}{}
			}
		}
		h.Start()
	})
	return s, events, accepted
}

func TestWithoutAFreeDescriptorAClientIsToldToComeBack(t *testing.T) {
	s, events, accepted := descriptorStage(t)
	old, _ := s.dial(client.Options{})
	<-accepted
	ask := late(t, s, accepted)
	release := exhaust(t)
	resp, in := ask()
	if resp.StatusCode != http.StatusSwitchingProtocols {
		t.Errorf("got %s", resp.Status)
	}
	var frame [4]byte
	if _, err := in.Read(frame[:]); err != nil || frame != [4]byte{0x88, 2, 1012 >> 8, 1012 & 0xff} {
		t.Errorf("got %x, %v, want a close frame", frame, err)
	}
	if n, err := in.Read(frame[:]); n > 0 || err == nil {
		t.Error("the connection goes on")
	}
	events.refused(t, "adopt")
	release()
	send(t, old, text("still there?"))
	expectText(t, old, "still there?")
	c, _ := s.dial(client.Options{})
	send(t, c, text("hello"))
	expectText(t, c, "hello")
}

func TestWithoutAFreeDescriptorAClientInTLSIsToldToComeBack(t *testing.T) {
	s := newSecureStage(t, websocket.Config{Engine: websocket.EventLoops})
	s.dial(client.Options{}) // the loops run
	nc, err := tls.Dial("tcp", strings.TrimPrefix(s.server.URL, "https://"), s.tls)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if err := nc.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	release := exhaust(t)
	defer release()
	if _, err := nc.Write([]byte(handshake)); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(nc)
	if _, err := http.ReadResponse(in, nil); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(in); err != nil || !bytes.Equal(rest, []byte{0x88, 2, 1012 >> 8, 1012 & 0xff}) {
		t.Errorf("got %x, %v, want a close frame, and the end of TLS", rest, err)
	}
}

func TestLoopsThatCouldNotStartAreStartedLater(t *testing.T) {
	s, events, accepted := descriptorStage(t)
	ask := late(t, s, accepted)
	release := exhaust(t)
	before := testleak.Descriptors() // cannot be counted now, and that is the point
	if resp, _ := ask(); resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("got %s", resp.Status)
	}
	events.refused(t, "start")
	release()
	if before != 0 {
		t.Error("descriptors were not exhausted")
	}
	if _, err := os.ReadDir("/proc/self/fd"); err != nil {
		t.Fatal(err)
	}
	c, _ := s.dial(client.Options{})
	send(t, c, text("hello"))
	expectText(t, c, "hello")
}
