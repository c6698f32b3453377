package roost

import (
	"context"
	"fmt"
	"reflect"
)

// Binding ties an event, or another occasion, to a method of a channel type.
type Binding[T any] func(*bindings[T])

// bindings are what ChannelOf was given. They are made once and shared by all
// channels of a route.
type bindings[T any] struct {
	fresh      func() *T // nil: the zero value does
	join       func(t *T, ctx context.Context, s *Socket, p Payload) (Reply, error)
	in         map[string]func(t *T, ctx context.Context, s *Socket, p Payload) (Reply, error)
	out        map[string]func(t *T, ctx context.Context, s *Socket, p Payload) error
	intercepts []string
	info       map[reflect.Type]func(t *T, ctx context.Context, s *Socket, info any) error
	terminate  func(t *T, ctx context.Context, s *Socket, reason error)
}

// ChannelOf makes channels of a type's methods: join enters, and bindings say
// what the other methods are for. Each join gets a new *T.
//
// P is what the client's payload is decoded to: a struct or any other type
// that encoding/json knows, Payload to have it raw, or Bytes for binary. One that does not
// decode is answered with an error reply that says so, and the method is not
// called.
//
// ChannelOf panics when two bindings are for the same occasion.
func ChannelOf[T, P any](join func(t *T, ctx context.Context, s *Socket, p P) (Reply, error), b ...Binding[T]) Factory {
	bound := &bindings[T]{
		join: decoding(join),
		in:   make(map[string]func(*T, context.Context, *Socket, Payload) (Reply, error)),
		out:  make(map[string]func(*T, context.Context, *Socket, Payload) error),
		info: make(map[reflect.Type]func(*T, context.Context, *Socket, any) error),
	}
	for _, bind := range b {
		bind(bound)
	}
	return bound.channel
}

// channel makes the Channel of one join.
func (b *bindings[T]) channel() Channel {
	if b.fresh == nil {
		return &ownChannel[T]{bound: b}
	}
	return &freshChannel[T]{b, b.fresh()}
}

// On binds a client's event to a method.
func On[T, P any](event string, handle func(t *T, ctx context.Context, s *Socket, p P) (Reply, error)) Binding[T] {
	return func(b *bindings[T]) {
		once(b.in, event, "On", fmt.Sprintf("event %q", event))
		b.in[event] = decoding(handle)
	}
}

// Out intercepts broadcasts of an event: the method is called instead of the
// client getting them, and pushes what the client is to see.
func Out[T, P any](event string, handle func(t *T, ctx context.Context, s *Socket, p P) error) Binding[T] {
	return func(b *bindings[T]) {
		once(b.out, event, "Out", fmt.Sprintf("event %q", event))
		b.intercepts = append(b.intercepts, event)
		b.out[event] = func(t *T, ctx context.Context, s *Socket, raw Payload) error {
			var p P
			if err := raw.Decode(&p); err != nil {
				return fmt.Errorf("decode broadcast %q: %w", event, err)
			}
			return handle(t, ctx, s, p)
		}
	}
}

// Info binds values of type V, sent with Socket.SendInfo, to a method. To
// receive broadcasts of topics the channel subscribed to, V is Broadcast.
func Info[T, V any](handle func(t *T, ctx context.Context, s *Socket, v V) error) Binding[T] {
	return func(b *bindings[T]) {
		kind := reflect.TypeFor[V]()
		once(b.info, kind, "Info", fmt.Sprintf("type %v", kind))
		b.info[kind] = func(t *T, ctx context.Context, s *Socket, info any) error {
			return handle(t, ctx, s, info.(V))
		}
	}
}

// Terminate binds the end of a channel to a method; see Terminator.
func Terminate[T any](handle func(t *T, ctx context.Context, s *Socket, reason error)) Binding[T] {
	return func(b *bindings[T]) {
		if b.terminate != nil {
			panic("roost: two Terminate bindings for one channel: keep one")
		}
		b.terminate = handle
	}
}

// Fresh makes the channel's value, when the zero value does not do: here it
// gets what it depends on.
func Fresh[T any](make func() *T) Binding[T] {
	return func(b *bindings[T]) { b.fresh = make }
}

func once[K comparable, V any](m map[K]V, key K, name, what string) {
	if _, ok := m[key]; ok {
		panic(fmt.Sprintf("roost: two %s bindings for %s of one channel: keep one", name, what))
	}
}

// decoding decodes the payload first.
func decoding[T, P any](f func(*T, context.Context, *Socket, P) (Reply, error)) func(*T, context.Context, *Socket, Payload) (Reply, error) {
	if f, ok := any(f).(func(*T, context.Context, *Socket, Payload) (Reply, error)); ok {
		return f
	}
	return func(t *T, ctx context.Context, s *Socket, raw Payload) (Reply, error) {
		var p P
		if err := raw.Decode(&p); err != nil {
			return undecodable(err), nil
		}
		return f(t, ctx, s, p)
	}
}

// undecodable is what a client reads whose payload is not what was expected.
func undecodable(err error) Reply {
	return ReplyError(map[string]string{"reason": "invalid payload", "detail": err.Error()})
}

// ownChannel is the Channel of one join, and has the value in it.
type ownChannel[T any] struct {
	bound *bindings[T]
	value T
}

// freshChannel is the Channel of one join whose value Fresh made.
type freshChannel[T any] struct {
	bound *bindings[T]
	value *T
}

func (b *bindings[T]) handleIn(t *T, ctx context.Context, s *Socket, event string, p Payload) (Reply, error) {
	h := b.in[event]
	if h == nil { // clause 185
		return NoReply(), fmt.Errorf("roost: no handler for event %q: bind one with roost.On", event)
	}
	return h(t, ctx, s, p)
}

func (b *bindings[T]) handleInfo(t *T, ctx context.Context, s *Socket, info any) error {
	h := b.info[reflect.TypeOf(info)]
	if h == nil {
		return ErrUnhandled
	}
	return h(t, ctx, s, info)
}

func (b *bindings[T]) ended(t *T, ctx context.Context, s *Socket, reason error) {
	if b.terminate != nil {
		b.terminate(t, ctx, s, reason)
	}
}

// terminates reports whether a channel wants to know when it ends. One that
// does not ends without being scheduled.
func terminates(c Channel) bool {
	if q, ok := c.(interface{ terminates() bool }); ok {
		return q.terminates()
	}
	_, ok := c.(Terminator)
	return ok
}

func (c *ownChannel[T]) Join(ctx context.Context, s *Socket, p Payload) (Reply, error) {
	return c.bound.join(&c.value, ctx, s, p)
}

func (c *ownChannel[T]) HandleIn(ctx context.Context, s *Socket, event string, p Payload) (Reply, error) {
	return c.bound.handleIn(&c.value, ctx, s, event, p)
}

func (c *ownChannel[T]) Intercepts() []string { return c.bound.intercepts }

func (c *ownChannel[T]) HandleOut(ctx context.Context, s *Socket, event string, p Payload) error {
	return c.bound.out[event](&c.value, ctx, s, p)
}

func (c *ownChannel[T]) HandleInfo(ctx context.Context, s *Socket, info any) error {
	return c.bound.handleInfo(&c.value, ctx, s, info)
}

func (c *ownChannel[T]) terminates() bool { return c.bound.terminate != nil }

func (c *ownChannel[T]) Terminate(ctx context.Context, s *Socket, reason error) {
	c.bound.ended(&c.value, ctx, s, reason)
}

func (c *freshChannel[T]) Join(ctx context.Context, s *Socket, p Payload) (Reply, error) {
	return c.bound.join(c.value, ctx, s, p)
}

func (c *freshChannel[T]) HandleIn(ctx context.Context, s *Socket, event string, p Payload) (Reply, error) {
	return c.bound.handleIn(c.value, ctx, s, event, p)
}

func (c *freshChannel[T]) Intercepts() []string { return c.bound.intercepts }

func (c *freshChannel[T]) HandleOut(ctx context.Context, s *Socket, event string, p Payload) error {
	return c.bound.out[event](c.value, ctx, s, p)
}

func (c *freshChannel[T]) HandleInfo(ctx context.Context, s *Socket, info any) error {
	return c.bound.handleInfo(c.value, ctx, s, info)
}

func (c *freshChannel[T]) terminates() bool { return c.bound.terminate != nil }

func (c *freshChannel[T]) Terminate(ctx context.Context, s *Socket, reason error) {
	c.bound.ended(c.value, ctx, s, reason)
}
