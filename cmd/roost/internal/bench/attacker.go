//go:build linux

package bench

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// attackOrder has Conns connections flood a server with handshakes for For ns,
// each again as soon as it is over.
type attackOrder struct {
	Addr  string `json:"addr"`
	Mode  string `json:"mode"`
	Conns int    `json:"conns"`
	For   int64  `json:"for"`
}

// attackAnswer is what became of them.
type attackAnswer struct {
	Begun    int            `json:"begun"`
	Answered int            `json:"answered"` // that the server computed for
	Failures map[string]int `json:"failures"` // by cause, without what the end of the attack cut
	CPU      int64          `json:"cpu"`      // ns
}

// attacks are what a connection can do to a server.
var attacks = map[string]func(*attacker, context.Context, net.Conn) (answered bool, err error){
	"full":  (*attacker).shakeAndGo,
	"hello": (*attacker).greet,
	"half":  (*attacker).stall,
	"idle":  (*attacker).shakeAndStay,
}

// attacker is one attack.
type attacker struct {
	config *tls.Config
	hello  []byte // a ClientHello that costs nothing any more

	mu  sync.Mutex
	got attackAnswer // guarded by mu
}

// runAttacker is `roost bench attacker`. It gives way to everything else on the
// machine, as if it had one of its own.
func runAttacker() error {
	if err := giveWay(); err != nil {
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var o order
		var with attackOrder
		err := cmp.Or(json.Unmarshal(lines.Bytes(), &o), json.Unmarshal(o.With, &with))
		if err == nil && o.Do != "attack" {
			err = fmt.Errorf("%w %q", errOrder, o.Do)
		}
		var got attackAnswer
		if err == nil {
			got, err = attack(with)
		}
		writeLine(os.Stdout, o.ID, got, err)
	}
	return lines.Err()
}

// giveWay has all threads run when no other wants to; new ones inherit it.
func giveWay() error {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return fmt.Errorf("bench: no list of threads: %w", err)
	}
	for _, t := range tasks {
		if id, err := strconv.Atoi(t.Name()); err == nil {
			_ = unix.Setpriority(unix.PRIO_PROCESS, id, 19) // one that has ended needs none
		}
	}
	return nil
}

// attack ends after the order's time.
func attack(o attackOrder) (attackAnswer, error) {
	config := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13} //nolint:gosec // a load tool: any server will do
	a := &attacker{config: config, hello: clientHello(config), got: attackAnswer{Failures: map[string]int{}}}
	before, err := processCPU(os.Getpid())
	if err != nil {
		return attackAnswer{}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(o.For))
	defer cancel()
	var wait sync.WaitGroup
	for range o.Conns {
		wait.Go(func() { a.again(ctx, o) })
	}
	wait.Wait()
	after, err := processCPU(os.Getpid())
	a.got.CPU = int64(after - before)
	return a.got, err
}

// again attacks until ctx ends.
func (a *attacker) again(ctx context.Context, o attackOrder) {
	for ctx.Err() == nil {
		answered, err := a.once(ctx, o)
		a.count(ctx, answered, err)
		if err != nil {
			_ = pause(ctx, 10*time.Millisecond) // the server is not there, or cuts at once
		}
	}
}

func (a *attacker) count(ctx context.Context, answered bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.got.Begun++
	switch {
	case answered:
		a.got.Answered++
	case err != nil && ctx.Err() == nil:
		a.got.Failures[attackCause(err)]++
	}
}

func attackCause(err error) string {
	var errno unix.Errno
	switch {
	case errors.As(err, &errno):
		return errnoCause(errno)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "timeout"
	}
	return "cut"
}

// once is one connection. It ends with a reset, so that no port is left waiting.
func (a *attacker) once(ctx context.Context, o attackOrder) (bool, error) {
	var d net.Dialer
	nc, err := d.DialContext(ctx, "tcp", o.Addr)
	if err != nil {
		return false, err
	}
	defer nc.Close()
	_ = nc.(*net.TCPConn).SetLinger(0)
	defer context.AfterFunc(ctx, func() { _ = nc.SetDeadline(time.Now()) })()
	return attacks[o.Mode](a, ctx, nc)
}

// shakeAndGo does a whole handshake.
func (a *attacker) shakeAndGo(ctx context.Context, nc net.Conn) (bool, error) {
	err := tls.Client(nc, a.config).HandshakeContext(ctx)
	return err == nil, err
}

// greet sends a ClientHello that it has sent before, has the server compute, and
// goes.
func (a *attacker) greet(_ context.Context, nc net.Conn) (bool, error) {
	if _, err := nc.Write(a.hello); err != nil {
		return false, err
	}
	_, err := nc.Read(make([]byte, 1))
	return err == nil, err
}

// stall sends half a ClientHello and waits until it is cut.
func (a *attacker) stall(_ context.Context, nc net.Conn) (bool, error) {
	if _, err := nc.Write(a.hello[:len(a.hello)/2]); err != nil {
		return false, err
	}
	_, err := nc.Read(make([]byte, 1))
	return false, err
}

// shakeAndStay does a whole handshake, says nothing and waits until it is cut.
func (a *attacker) shakeAndStay(ctx context.Context, nc net.Conn) (bool, error) {
	c := tls.Client(nc, a.config)
	if err := c.HandshakeContext(ctx); err != nil {
		return false, err
	}
	_, _ = c.Read(make([]byte, 1))
	return true, nil
}

// clientHello is what a client sends first.
func clientHello(config *tls.Config) []byte {
	var hello firstWrite
	_ = tls.Client(&hello, config).Handshake() //nolint:noctx // it ends with the first write
	return hello.b
}

// firstWrite is a connection that ends with what is written to it.
type firstWrite struct {
	net.Conn

	b []byte
}

// Write keeps the first b.
func (c *firstWrite) Write(b []byte) (int, error) {
	if c.b == nil {
		c.b = bytes.Clone(b)
	}
	return len(b), nil
}

// Read has nothing.
func (c *firstWrite) Read([]byte) (int, error) { return 0, net.ErrClosed }
