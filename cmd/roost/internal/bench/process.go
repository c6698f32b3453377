//go:build linux

package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

var errEnded = errors.New("bench: child process ended")

// process is a child that obeys orders: `roost bench worker` or `writer`.
//
// Orders may be given concurrently. It dies with this process, and stop waits
// for its end.
type process struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	said  *tail // its standard error
	ended chan struct{}

	mu       sync.Mutex
	next     int
	waiting  map[int]chan answer
	progress progress
}

// startProcess starts this program again as `bench ROLE`. The files become the
// child's descriptors from 3 on.
func startProcess(ctx context.Context, role string, files ...*os.File) (*process, error) {
	p := &process{said: &tail{}, ended: make(chan struct{}), waiting: map[int]chan answer{}}
	cmd, err := ownCommand(ctx, role)
	if err != nil {
		return nil, err
	}
	p.cmd = cmd
	cmd.Stderr = p.said
	cmd.ExtraFiles = files
	if p.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("bench: start %s: %w", role, err)
	}
	go p.listen(out)
	return p, nil
}

// ownCommand is this program again, to die with this process.
func ownCommand(ctx context.Context, args ...string) (*exec.Cmd, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("bench: cannot start itself again: %w", err)
	}
	cmd := exec.CommandContext(ctx, exe, append([]string{"bench"}, args...)...) //nolint:gosec // itself
	cmd.WaitDelay = 5 * time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd, nil
}

// listen hands on answers until the child's output ends. It is the only one to
// wait for the child, and ends with it.
func (p *process) listen(out io.Reader) {
	defer close(p.ended)
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var a answer
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			p.said.add(lines.Bytes())
			break
		}
		p.deliver(a)
	}
	// How it ended is in what it said.
	_ = p.cmd.Wait()
}

func (p *process) deliver(a answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a.ID == 0 {
		_ = json.Unmarshal(a.With, &p.progress) // shown, not counted on
		return
	}
	if c, ok := p.waiting[a.ID]; ok {
		delete(p.waiting, a.ID)
		c <- a
	}
}

func (p *process) latest() progress {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.progress
}

// call is an order that was given.
type call[T any] struct {
	process *process
	do      string
	answers chan answer
}

// give gives p an order whose answer will be a T.
func give[T any](p *process, do string, with any) (*call[T], error) {
	raw, err := json.Marshal(with)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next++
	b, err := json.Marshal(order{ID: p.next, Do: do, With: raw})
	if err != nil {
		return nil, err
	}
	c := &call[T]{process: p, do: do, answers: make(chan answer, 1)}
	p.waiting[p.next] = c.answers
	if _, err := p.in.Write(append(b, '\n')); err != nil {
		return nil, p.failed(do)
	}
	return c, nil
}

// wait waits for the answer until the deadline.
func (c *call[T]) wait(ctx context.Context, within time.Duration) (T, error) {
	var with T
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case a := <-c.answers:
		if a.Err != "" {
			return with, fmt.Errorf("bench: %s: %s", c.do, a.Err)
		}
		return with, json.Unmarshal(a.With, &with)
	case <-c.process.ended:
		return with, c.process.failed(c.do)
	case <-timer.C:
		return with, fmt.Errorf("bench: %s: no answer within %s", c.do, within)
	case <-ctx.Done():
		return with, context.Cause(ctx)
	}
}

// ask gives an order that is answered soon, and waits.
func ask[T any](ctx context.Context, p *process, do string, with any) (T, error) {
	c, err := give[T](p, do, with)
	if err != nil {
		var none T
		return none, err
	}
	return c.wait(ctx, answerWithin)
}

// answerWithin is more than any child needs that is not stuck.
const answerWithin = 15 * time.Second

func (p *process) failed(do string) error {
	if said := p.said.String(); said != "" {
		return fmt.Errorf("%w during %s: %s", errEnded, do, said)
	}
	return fmt.Errorf("%w during %s", errEnded, do)
}

// pid is the child's.
func (p *process) pid() int { return p.cmd.Process.Pid }

// stop ends the child, at once if it does not end by itself, and waits.
func (p *process) stop() {
	_ = p.in.Close() // the end of its orders
	timer := time.NewTimer(answerWithin)
	defer timer.Stop()
	select {
	case <-p.ended:
	case <-timer.C:
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// tail keeps the beginning of what a child says on its standard error. It is
// safe for concurrent use.
type tail struct {
	mu sync.Mutex
	b  []byte
}

const tailSize = 4 << 10

// Write takes all of b and keeps what there is room for.
func (t *tail) Write(b []byte) (int, error) {
	t.add(b)
	return len(b), nil
}

func (t *tail) add(b []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, b[:min(len(b), tailSize-len(t.b))]...)
}

// String is what was kept.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.b))
}
