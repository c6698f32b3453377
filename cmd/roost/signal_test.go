//go:build unix

package main

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/roostgo/roost/test/client"
)

// process is the command as a process of its own.
type process struct {
	cmd  *exec.Cmd
	addr string
	said chan string // the rest of its standard output, when it has ended
}

// spawn starts `roost serve` with these flags and waits until it says where.
func spawn(t *testing.T, flags ...string) *process {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	p := &process{cmd: exec.CommandContext(t.Context(), self, append([]string{"serve", "-listen", "127.0.0.1:0"}, flags...)...), said: make(chan string, 1)}
	p.cmd.Env = append(os.Environ(), asRoost+"=1")
	out, err := p.cmd.StdoutPipe()
	must(t, err)
	must(t, p.cmd.Start())
	t.Cleanup(func() { _, _ = p.cmd.Process.Kill(), p.cmd.Wait() })
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("it says nothing")
	}
	p.addr = address.FindStringSubmatch(lines.Text() + "\n")[1]
	go func() { // ends with the process's output
		var rest strings.Builder
		for lines.Scan() {
			rest.WriteString(lines.Text() + "\n")
		}
		p.said <- rest.String()
	}()
	return p
}

func (p *process) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	must(t, p.cmd.Process.Signal(s))
}

func TestASignalEndsTheServerInOrder(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		p := spawn(t)
		c := client.Open(t, "ws://"+p.addr+"/socket/websocket?vsn=2.0.0", client.Options{})
		c.ExpectQuiet(t)
		p.signal(t, s)
		c.ExpectClose(t, 1012)
		said := receive(t, p.said, "end of the output")
		if err := p.cmd.Wait(); err != nil || !strings.HasSuffix(said, "Roost has stopped.\n") {
			t.Errorf("%v: got %v, %q", s, err, said)
		}
	}
}

func TestASecondSignalEndsTheServerAtOnce(t *testing.T) {
	p := spawn(t)
	c := client.Open(t, "ws://"+p.addr+"/socket/websocket?vsn=2.0.0", client.Options{})
	c.ExpectQuiet(t)
	p.signal(t, syscall.SIGTERM)
	if m := c.Next(t); m.CloseCode != 1012 { // not answered: the server waits for it
		t.Fatalf("got %v", m)
	}
	p.signal(t, syscall.SIGTERM)
	said := receive(t, p.said, "end of the output")
	err := p.cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || !exit.Sys().(syscall.WaitStatus).Signaled() {
		t.Errorf("got %v", err)
	}
	if strings.Contains(said, "Roost has stopped.") {
		t.Error("it waited")
	}
}
