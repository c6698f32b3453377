// Package wiretest holds the suite that every [wire.Serializer] must pass, and
// the client's side of the built-in ones, written on its own from the protocol.
package wiretest

import (
	"bytes"
	"errors"
	"sync"
	"testing"

	"github.com/roostgo/roost/wire"
)

// Run tests the serializers that fresh returns, all of the same sort, against
// the client.
func Run(t *testing.T, fresh func() wire.Serializer, client Client) {
	s := suite{fresh: fresh, client: client}
	t.Run("has a name", s.hasName)
	t.Run("is equal to itself and usable as a key of a map", s.isComparable)
	t.Run("reads what a client writes", s.readsClient)
	t.Run("overwrites all of the message that it reads into", s.overwritesMessage)
	t.Run("does not write to the frame that it reads", s.leavesFrame)
	t.Run("lends the frame to the message until that is cloned", s.clonesOwnMemory)
	t.Run("clones in one allocation", s.clonesOnce)
	t.Run("refuses every text frame that was cut short", s.refusesTruncated)
	t.Run("writes what a client reads", s.writesForClient)
	t.Run("appends to what is there", s.appends)
	t.Run("keeps nothing of what it wrote", s.keepsNothing)
	t.Run("leaves what is there alone when it cannot write", s.leavesDst)
	t.Run("names the reason when it cannot write", s.namesReason)
	t.Run("serves many goroutines at once", s.isConcurrent)
}

type suite struct {
	fresh  func() wire.Serializer
	client Client
}

func (s suite) hasName(t *testing.T) {
	if s.fresh().Name() == "" {
		t.Error("the name is empty")
	}
	if a, b := s.fresh().Name(), s.fresh().Name(); a != b {
		t.Errorf("two names: %q and %q", a, b)
	}
}

func (s suite) isComparable(t *testing.T) {
	encoded := map[wire.Serializer]bool{s.fresh(): true}
	if !encoded[s.fresh()] {
		t.Error("two values of the serializer differ: each would get a broadcast encoded anew")
	}
}

func (s suite) readsClient(t *testing.T) {
	for _, want := range s.pushes() {
		data, binary := s.client.Encode(want)
		var got wire.Message
		if err := s.fresh().Decode(&got, binary, data); err != nil {
			t.Errorf("%q: %v", data, err)
			continue
		}
		if diff := Diff(got, want); diff != "" {
			t.Errorf("%q: %s", data, diff)
		}
	}
}

func (s suite) overwritesMessage(t *testing.T) {
	want := plain()
	data, binary := s.client.Encode(want)
	got := wire.Message{
		Kind: wire.Broadcast, JoinRef: "9", Ref: "9", Topic: "old", Event: "old",
		Status: "old", Payload: wire.Binary([]byte("old")), OddTopic: true,
	}
	if err := s.fresh().Decode(&got, binary, data); err != nil {
		t.Fatal(err)
	}
	if diff := Diff(got, want); diff != "" {
		t.Error(diff)
	}
}

func (s suite) leavesFrame(t *testing.T) {
	for _, m := range s.pushes() {
		data, binary := s.client.Encode(m)
		before := bytes.Clone(data)
		var got wire.Message
		if err := s.fresh().Decode(&got, binary, data); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(data, before) {
			t.Errorf("the frame is %q, was %q", data, before)
		}
	}
}

func (s suite) clonesOwnMemory(t *testing.T) {
	for _, want := range s.pushes() {
		data, binary := s.client.Encode(want)
		var lent wire.Message
		if err := s.fresh().Decode(&lent, binary, data); err != nil {
			t.Fatal(err)
		}
		got := lent.Clone()
		for i := range data {
			data[i] = '#'
		}
		if diff := Diff(got, want); diff != "" {
			t.Errorf("after the frame was used again: %s", diff)
		}
	}
}

func (s suite) clonesOnce(t *testing.T) {
	data, binary := s.client.Encode(plain())
	var m wire.Message
	if err := s.fresh().Decode(&m, binary, data); err != nil {
		t.Fatal(err)
	}
	var kept wire.Message
	if n := testing.AllocsPerRun(100, func() { kept = m.Clone() }); n != 1 {
		t.Errorf("%v allocations", n)
	}
	if diff := Diff(kept, m); diff != "" {
		t.Error(diff)
	}
}

func (s suite) refusesTruncated(t *testing.T) {
	for _, m := range s.pushes() {
		data, binary := s.client.Encode(m)
		if binary {
			continue // the end of the frame is the end of the payload, wherever it is
		}
		for n := range data {
			var got wire.Message
			if s.fresh().Decode(&got, binary, data[:n:n]) == nil {
				t.Errorf("%q was read as %+v", data[:n], got)
			}
		}
	}
}

func (s suite) writesForClient(t *testing.T) {
	for _, m := range s.messages() {
		out, binary, err := s.fresh().Encode(nil, &m)
		if err != nil {
			t.Errorf("%+v: %v", m, err)
			continue
		}
		got, err := s.client.Decode(out, binary)
		if err != nil {
			t.Errorf("%q: %v", out, err)
			continue
		}
		if diff := Diff(got, s.seen(m)); diff != "" {
			t.Errorf("%q: %s", out, diff)
		}
	}
}

func (s suite) appends(t *testing.T) {
	for _, m := range s.messages() {
		alone, _, err := s.fresh().Encode(nil, &m)
		if err != nil {
			t.Fatal(err)
		}
		for _, spare := range []int{0, 1, 4096} {
			dst := append(make([]byte, 0, 6+spare), "before"...)
			out, _, err := s.fresh().Encode(dst, &m)
			if err != nil || string(out) != "before"+string(alone) {
				t.Errorf("with %d spare bytes: %q, %v; want %q after what was there", spare, out, err, alone)
			}
		}
	}
}

func (s suite) keepsNothing(t *testing.T) {
	text := []byte(`{"a":1}`)
	m := wire.Message{Topic: "t", Event: "e", Payload: wire.JSON(text)}
	out, _, err := s.fresh().Encode(nil, &m)
	if err != nil {
		t.Fatal(err)
	}
	before := bytes.Clone(out)
	copy(text, `{"b":2}`)
	if !bytes.Equal(out, before) {
		t.Errorf("the frame follows the payload: %q, was %q", out, before)
	}
}

func (s suite) leavesDst(t *testing.T) {
	for _, c := range s.unwritable() {
		dst := append(make([]byte, 0, 4096), "before"...)
		out, _, err := s.fresh().Encode(dst, &c.m)
		if err == nil {
			t.Errorf("%+v was written: %q", c.m, out)
		}
		if string(out) != "before" {
			t.Errorf("%+v left %q", c.m, out)
		}
	}
}

func (s suite) namesReason(t *testing.T) {
	for _, c := range s.unwritable() {
		if _, _, err := s.fresh().Encode(nil, &c.m); !errors.Is(err, c.err) {
			t.Errorf("%+v: %v, want %v", c.m, err, c.err)
		}
	}
}

func (s suite) isConcurrent(t *testing.T) {
	serializer := s.fresh()
	want := plain()
	data, binary := s.client.Encode(want)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				var got wire.Message
				if err := serializer.Decode(&got, binary, data); err != nil || Diff(got, want) != "" {
					t.Errorf("%+v, %v", got, err)
				}
				if _, _, err := serializer.Encode(nil, &want); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// seen returns what the client is to make of the server's message m.
func (s suite) seen(m wire.Message) wire.Message {
	if m.Kind == wire.Broadcast {
		m.Kind, m.JoinRef, m.Ref = wire.Push, "", "" // JSON does not tell them apart
	}
	if m.Payload.IsBinary() && m.Kind == wire.Push {
		m.Ref = ""
	}
	if m.Payload.IsBinary() {
		m.JoinRef, m.Ref = bare(m.JoinRef), bare(m.Ref)
	}
	if !s.client.CarriesJoinRef {
		m.JoinRef = ""
	}
	return m
}

// bare returns the ref that is left of r in a binary frame, which has no quotes:
// what has no length is null.
func bare(r wire.Ref) wire.Ref {
	if r.Text() == "" {
		return ""
	}
	return wire.StringRef(r.Text())
}
