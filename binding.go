package roost

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"

	"github.com/roostgo/roost/telemetry"
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
// that encoding/json knows, Payload to have it raw, or Bytes for binary. One
// that does not decode is answered with {"reason":"invalid payload"}, and the
// method is not called; what was wrong with it is told to verbose telemetry.
//
// ChannelOf panics when two bindings are for the same occasion, or one can
// never be called.
func ChannelOf[T, P any](join func(t *T, ctx context.Context, s *Socket, p P) (Reply, error), b ...Binding[T]) Factory {
	given(join != nil, "ChannelOf", "the method that enters")
	bound := &bindings[T]{
		join: decoding("phx_join", join),
		in:   make(map[string]func(*T, context.Context, *Socket, Payload) (Reply, error)),
		out:  make(map[string]func(*T, context.Context, *Socket, Payload) error),
		info: make(map[reflect.Type]func(*T, context.Context, *Socket, any) error),
	}
	for _, bind := range b {
		given(bind != nil, "ChannelOf", "a binding")
		bind(bound)
	}
	return bound.channel
}

// channel makes the Channel of one join.
func (b *bindings[T]) channel() Channel {
	if b.fresh == nil {
		return &boundChannel[T, within[T], *within[T]]{bound: b}
	}
	return &boundChannel[T, elsewhere[T], *elsewhere[T]]{b, elsewhere[T]{b.fresh()}}
}

// On binds a client's event to a method.
func On[T, P any](event string, handle func(t *T, ctx context.Context, s *Socket, p P) (Reply, error)) Binding[T] {
	return func(b *bindings[T]) {
		what := fmt.Sprintf("event %q", event)
		given(handle != nil, "On", "a method for "+what)
		if event == eventJoin || event == eventLeave {
			panic(fmt.Sprintf("roost: On binding for %s: the protocol handles it itself: ChannelOf's first argument is for joins, Terminate is for the end", what))
		}
		once(b.in, event, "On", what)
		b.in[event] = decoding(event, handle)
	}
}

// Out intercepts broadcasts of an event: the method is called instead of the
// client getting them, and pushes what the client is to see.
func Out[T, P any](event string, handle func(t *T, ctx context.Context, s *Socket, p P) error) Binding[T] {
	return func(b *bindings[T]) {
		what := fmt.Sprintf("event %q", event)
		given(handle != nil, "Out", "a method for "+what)
		once(b.out, event, "Out", what)
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
// receive broadcasts of topics the channel subscribed to, V is Broadcast. V is
// the value's own type: an interface matches nothing, and panics.
func Info[T, V any](handle func(t *T, ctx context.Context, s *Socket, v V) error) Binding[T] {
	return func(b *bindings[T]) {
		kind := reflect.TypeFor[V]()
		if kind.Kind() == reflect.Interface {
			panic(fmt.Sprintf("roost: Info binding for %v: a value is matched by its own type, never by an interface: bind the types that are sent", kind))
		}
		what := fmt.Sprintf("type %v", kind)
		given(handle != nil, "Info", "a method for "+what)
		once(b.info, kind, "Info", what)
		b.info[kind] = func(t *T, ctx context.Context, s *Socket, info any) error {
			return handle(t, ctx, s, info.(V))
		}
	}
}

// Terminate binds the end of a channel to a method; see Terminator.
func Terminate[T any](handle func(t *T, ctx context.Context, s *Socket, reason error)) Binding[T] {
	return func(b *bindings[T]) {
		given(handle != nil, "Terminate", "a method for the end")
		single(b.terminate == nil, "Terminate")
		b.terminate = handle
	}
}

// Fresh makes the channel's value, when the zero value does not do: here it
// gets what it depends on.
func Fresh[T any](make func() *T) Binding[T] {
	return func(b *bindings[T]) {
		given(make != nil, "Fresh", "a function that makes the channel's value")
		single(b.fresh == nil, "Fresh")
		b.fresh = make
	}
}

// given panics when a binding has nothing to call.
func given(ok bool, name, what string) {
	if !ok {
		panic(fmt.Sprintf("roost: %s was given nil: pass %s, or leave it out", name, what))
	}
}

// single panics when a binding of which there can be one is the second.
func single(ok bool, name string) {
	if !ok {
		panic(fmt.Sprintf("roost: two %s bindings for one channel: keep one", name))
	}
}

func once[K comparable, V any](m map[K]V, key K, name, what string) {
	if _, ok := m[key]; ok {
		panic(fmt.Sprintf("roost: two %s bindings for %s of one channel: keep one", name, what))
	}
}

// decoding decodes the payload first.
func decoding[T, P any](event string, f func(*T, context.Context, *Socket, P) (Reply, error)) func(*T, context.Context, *Socket, Payload) (Reply, error) {
	if f, ok := any(f).(func(*T, context.Context, *Socket, Payload) (Reply, error)); ok {
		return f
	}
	return func(t *T, ctx context.Context, s *Socket, raw Payload) (Reply, error) {
		var p P
		if err := raw.Decode(&p); err != nil {
			return s.undecodable(ctx, event, err), nil
		}
		return f(t, ctx, s, p)
	}
}

// undecodable is what a client reads whose payload is not what was expected.
// The error names Go types, or is the application's own: it is not for clients.
func (s *Socket) undecodable(ctx context.Context, event string, err error) Reply {
	if stream := s.Endpoint().stream; stream.Enabled(slog.LevelDebug) {
		stream.Emit(ctx, telemetry.PayloadInvalid{Channel: s.facts(), Event: event, Err: telemetry.CutError(err)})
	}
	return ReplyError(invalidPayload)
}

// boundChannel is the Channel of one join: bindings, and the value that their
// methods have. V is where that is.
type boundChannel[T, V any, P holder[T, V]] struct {
	bound *bindings[T]
	value V
}

// holder is a pointer to a V that holds a T.
type holder[T, V any] interface {
	*V
	held() *T
}

// within holds the value itself: a channel without Fresh is one allocation.
type within[T any] struct{ value T }

func (w *within[T]) held() *T { return &w.value }

// elsewhere holds the value that Fresh made.
type elsewhere[T any] struct{ value *T }

func (e *elsewhere[T]) held() *T { return e.value }

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

func (c *boundChannel[T, V, P]) of() *T { return P(&c.value).held() }

func (c *boundChannel[T, V, P]) Join(ctx context.Context, s *Socket, p Payload) (Reply, error) {
	return c.bound.join(c.of(), ctx, s, p)
}

func (c *boundChannel[T, V, P]) HandleIn(ctx context.Context, s *Socket, event string, p Payload) (Reply, error) {
	return c.bound.handleIn(c.of(), ctx, s, event, p)
}

func (c *boundChannel[T, V, P]) Intercepts() []string { return c.bound.intercepts }

func (c *boundChannel[T, V, P]) HandleOut(ctx context.Context, s *Socket, event string, p Payload) error {
	return c.bound.out[event](c.of(), ctx, s, p)
}

func (c *boundChannel[T, V, P]) HandleInfo(ctx context.Context, s *Socket, info any) error {
	return c.bound.handleInfo(c.of(), ctx, s, info)
}

func (c *boundChannel[T, V, P]) terminates() bool { return c.bound.terminate != nil }

func (c *boundChannel[T, V, P]) Terminate(ctx context.Context, s *Socket, reason error) {
	c.bound.ended(c.of(), ctx, s, reason)
}
