// Package tree starts services in order and stops them in the reverse order: it is
// a supervision tree, with one supervisor of thejerf/suture for each stage.
package tree

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/thejerf/suture/v4"
)

// Service is something with a life of its own: Run works until ctx is done. When
// it returns before that, or panics, it is started again, after a pause if that
// happens often.
type Service interface {
	Run(ctx context.Context) error
}

// Readier is a Service that others wait for, until the channel is closed.
type Readier interface {
	Ready() <-chan struct{}
}

// Stage is what starts together. Stages start one after the other and stop in
// the reverse order.
type Stage struct {
	name     string
	services []Service
}

// Of makes a stage.
func Of[S Service](name string, services ...S) Stage {
	st := Stage{name: name}
	for _, s := range services {
		st.services = append(st.services, s)
	}
	return st
}

// Tree is what all stages have in common.
type Tree struct {
	// Log gets what supervisors have to say.
	Log *slog.Logger

	// Grace is how long a stage may take to stop.
	Grace time.Duration

	// Panicked makes an error of what a service panicked with while it stopped.
	Panicked func(value any) error
}

// Run starts the stages, each when the one before it is ready; waits until ctx
// is done or a stage has given up; and stops them. The error is why it gave up,
// and what went wrong at the end, in the order in which stages stop.
func (t Tree) Run(ctx context.Context, stages ...Stage) (err error) {
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
	Stage
	cancel context.CancelFunc
	done   chan struct{} // closed when all its services have stopped
}

// start starts a stage. It ends by stop only, so that the stages above it can
// end first.
func (t Tree) start(ctx context.Context, st Stage, failed chan<- error, last *farewells) *runningStage {
	s := suture.New(st.name, suture.Spec{Timeout: t.Grace, EventHook: t.report})
	for _, service := range st.services {
		s.Add(supervised{service, last, t.Panicked})
	}
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r := &runningStage{Stage: st, cancel: cancel, done: make(chan struct{})}
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

// GiveUp makes an error one that starting again does not cure: the whole tree
// ends with it.
func GiveUp(err error) error { return errors.Join(err, suture.ErrTerminateSupervisorTree) }

// gaveUp is an error of GiveUp without the supervisor's own word for it.
type gaveUp struct{ error }

// Error leaves out what only the supervisor needs to know.
func (g gaveUp) Error() string {
	return strings.TrimSuffix(g.error.Error(), "\n"+suture.ErrTerminateSupervisorTree.Error())
}

func (g gaveUp) Unwrap() error { return g.error }

// report logs what a supervisor has to say.
func (t Tree) report(e suture.Event) {
	level := slog.LevelError
	if e.Type() == suture.EventTypeResume {
		level = slog.LevelInfo
	}
	t.Log.LogAttrs(context.Background(), level, "supervisor", slog.String("event", e.String()))
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
	service  Service
	last     *farewells
	panicked func(value any) error
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
			err = fmt.Errorf("roost: %v while it stopped: %w", s, s.panicked(v))
		}
	}()
	return s.service.Run(ctx)
}

// errEarly is what a service ended with that said nothing.
var errEarly = errors.New("it returned before it was told to stop")

// String names the service in logs.
func (s supervised) String() string { return fmt.Sprintf("%T", s.service) }
