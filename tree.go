package roost

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/thejerf/suture/v4"
)

// Service is something with a life of its own: a database pool, a poller. Run
// works until ctx is done. When it returns before that, or panics, it is
// started again, after a pause if that happens often. What it returns after
// that, but for ctx's own error, becomes part of what Server.Run returns.
type Service interface {
	Run(ctx context.Context) error
}

// Readier is a Service that others wait for: what comes after it starts when
// the channel that Ready returns is closed.
type Readier interface {
	Ready() <-chan struct{}
}

// stage is what starts together. Stages start one after the other and stop in
// the reverse order.
type stage struct {
	name     string
	services []Service
}

// tree is the supervision tree: one supervisor for each stage.
type tree struct {
	log   *slog.Logger
	grace time.Duration // that a stage may take to stop
}

// run starts the stages, each when the one before it is ready; waits until ctx
// is done or a stage has given up; and stops them. The error is why it gave up,
// and what went wrong at the end, in the order in which stages stop.
func (t tree) run(ctx context.Context, stages []stage) (err error) {
	var up []*runningStage
	var last farewells
	failed := make(chan error, len(stages))
	defer func() {
		for _, r := range slices.Backward(up) {
			r.stop()
		}
		err = errors.Join(err, last.join())
	}()
	for _, st := range stages {
		r := t.start(ctx, st, failed, &last)
		up = append(up, r)
		if err := r.ready(ctx, failed); err != nil || ctx.Err() != nil {
			return err
		}
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return err
	}
}

// runningStage is a stage whose supervisor runs.
type runningStage struct {
	stage
	cancel context.CancelFunc
	done   chan struct{} // closed when all its services have stopped
}

// start starts a stage. It ends by stop only, so that the stages above it can
// end first.
func (t tree) start(ctx context.Context, st stage, failed chan<- error, last *farewells) *runningStage {
	s := suture.New(st.name, suture.Spec{Timeout: t.grace, EventHook: t.report})
	for _, service := range st.services {
		s.Add(supervised{service, last})
	}
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r := &runningStage{stage: st, cancel: cancel, done: make(chan struct{})}
	ended := s.ServeBackground(own)
	go func() { // ends with the stage; stop waits for it
		defer close(r.done)
		if err := <-ended; own.Err() == nil {
			failed <- fmt.Errorf("roost: stage %q gave up: %w", st.name, gaveUp{err})
		}
	}()
	return r
}

// ready waits for the services of the stage that say when they are ready.
func (r *runningStage) ready(ctx context.Context, failed <-chan error) error {
	for _, s := range r.services {
		waited, ok := s.(Readier)
		if !ok {
			continue
		}
		select {
		case <-waited.Ready():
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return err
		}
	}
	return nil
}

func (r *runningStage) stop() {
	r.cancel()
	<-r.done
}

// giveUp makes an error one that starting again does not cure: the whole tree
// ends with it.
func giveUp(err error) error { return errors.Join(err, suture.ErrTerminateSupervisorTree) }

// gaveUp is an error of giveUp without the supervisor's own word for it.
type gaveUp struct{ error }

// Error leaves out what only the supervisor needs to know.
func (g gaveUp) Error() string {
	return strings.TrimSuffix(g.error.Error(), "\n"+suture.ErrTerminateSupervisorTree.Error())
}

func (g gaveUp) Unwrap() error { return g.error }

// report logs what a supervisor has to say.
func (t tree) report(e suture.Event) {
	level := slog.LevelError
	if e.Type() == suture.EventTypeResume {
		level = slog.LevelInfo
	}
	t.log.LogAttrs(context.Background(), level, "supervisor", slog.String("event", e.String()))
}

// farewells are the errors of services that were told to stop. Supervisors
// drop them.
type farewells struct {
	mu   sync.Mutex
	errs []error // guarded by mu
}

func (f *farewells) add(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.errs = append(f.errs, err)
}

// join returns them as one. What comes later, from a service that its
// supervisor did not wait for, is lost; report has logged its name.
func (f *farewells) join() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return errors.Join(f.errs...)
}

// supervised is a Service as suture has it.
type supervised struct {
	service Service
	last    *farewells
}

// Serve implements suture.Service. That a service ends with ctx is as it should
// be, whatever words it has for that.
func (s supervised) Serve(ctx context.Context) error {
	err := s.run(ctx)
	if ctx.Err() == nil {
		return cmp.Or(err, errEarly)
	}
	if err != nil && !errors.Is(err, ctx.Err()) {
		s.last.add(err)
	}
	return ctx.Err()
}

// run runs the service. A panic while it stops is an error: the supervisor, to
// which all others go, does not listen any more.
func (s supervised) run(ctx context.Context) (err error) {
	defer func() {
		if ctx.Err() == nil {
			return
		}
		if v := recover(); v != nil {
			err = fmt.Errorf("roost: %v while it stopped: %w", s, &PanicError{Value: v, Stack: debug.Stack()})
		}
	}()
	return s.service.Run(ctx)
}

// errEarly is what a service ended with that said nothing.
var errEarly = errors.New("it returned before it was told to stop")

// String names the service in logs.
func (s supervised) String() string { return fmt.Sprintf("%T", s.service) }
