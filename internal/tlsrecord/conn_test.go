package tlsrecord

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// ends is a Conn and, by another, its client.
func ends(t *testing.T) (server, client *Conn) {
	t.Helper()
	a, b := net.Pipe()
	s, c := pair(t, AES128)
	t.Cleanup(func() { _, _ = a.Close(), b.Close() })
	return &Conn{nc: a, state: s.State}, &Conn{nc: b, state: c.State}
}

func TestAMisdeedIsAnsweredWithItsAlert(t *testing.T) {
	server, client := ends(t)
	go func() { _, _ = client.nc.Write([]byte{20, 3, 3, 0, 1, 1}) }() // ends when it is read, or with the pipe
	heard := make(chan error, 1)
	go func() { // ends with the alert
		_, err := client.Read(make([]byte, 1))
		heard <- err
	}()
	for range 2 {
		if _, err := server.Read(make([]byte, 1)); !errors.Is(err, unexpectedMessage) {
			t.Errorf("read: %v", err)
		}
	}
	if _, err := server.Write([]byte("x")); !errors.Is(err, unexpectedMessage) {
		t.Errorf("written: %v", err)
	}
	_ = server.nc.Close()
	if err := <-heard; !errors.Is(err, PeerError(unexpectedMessage)) {
		t.Errorf("the client heard %v", err)
	}
}

func TestAConnectionThatIsCutIsNoOrderlyEnd(t *testing.T) {
	server, client := ends(t)
	_ = client.nc.Close()
	if _, err := server.Read(make([]byte, 1)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}

func TestADeadlineLosesNothing(t *testing.T) {
	server, client := ends(t)
	record := client.cipher.Seal(&client.state, nil, []byte("hello"))
	for _, b := range record {
		_ = server.SetReadDeadline(time.Now().Add(time.Minute))
		go func() { _, _ = client.nc.Write([]byte{b}) }() // ends when it is read
		got := make([]byte, 1)
		if _, err := io.ReadFull(server.nc, got); err != nil {
			t.Fatal(err)
		}
		server.raw = append(server.raw, got...)
		if len(server.raw) == len(record) {
			break
		}
		_ = server.SetReadDeadline(time.Unix(1, 0))
		if _, err := server.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
	}
	got := make([]byte, 5)
	if n, err := server.Read(got); err != nil || string(got[:n]) != "hello" {
		t.Errorf("%q, %v", got[:n], err)
	}
}

func TestAWriteThatFailedIsTheLast(t *testing.T) {
	server, _ := ends(t)
	_ = server.SetWriteDeadline(time.Unix(1, 0))
	if _, err := server.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	_ = server.SetWriteDeadline(time.Time{})
	if _, err := server.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
	if _, _, _, _, err := server.Detach(); err == nil {
		t.Error("handed over")
	}
}

func TestAConnectionIsHandedOverWithWhatWasRead(t *testing.T) {
	server, client := ends(t)
	stream := client.cipher.Seal(&client.state, nil, []byte("hello"))
	second := client.cipher.Seal(&client.state, nil, []byte("world"))
	go func() { _, _ = client.nc.Write(join(stream, second[:9])) }() // ends when it is read
	got := make([]byte, 2)
	if _, err := io.ReadFull(server, got); err != nil {
		t.Fatal(err)
	}
	nc, state, plain, raw, err := server.Detach()
	if err != nil || nc != server.nc || string(plain) != "llo" || string(raw) != string(second[:9]) {
		t.Fatalf("%q, %x, %v", plain, raw, err)
	}
	var c Cipher
	if data, _, err := c.Open(&state, append(raw, second[9:]...)); err != nil || string(data) != "world" {
		t.Errorf("%q, %v", data, err)
	}
	if _, err := server.Write([]byte("x")); !errors.Is(err, ErrDetached) {
		t.Errorf("written: %v", err)
	}
	if _, err := server.Read(got); !errors.Is(err, ErrDetached) {
		t.Errorf("read: %v", err)
	}
	if server.state != (State{}) {
		t.Error("the secrets are kept")
	}
}
