package token

import (
	"bytes"
	"cmp"
	"encoding"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"slices"

	"github.com/roostgo/roost/internal/term"
)

// Atom is the name of an Erlang atom other than nil, true and false.
type Atom = term.Atom

// Tuple is an Erlang tuple. Written, its elements may be whatever data may be.
type Tuple = term.Tuple

// maxNesting bounds how deep Go values are followed, pointers counted, so that a
// value that holds itself ends with an error.
const maxNesting = 4 * term.MaxDepth

var errNested = errors.New("nested too deeply; does it hold itself?")

// toTerm returns the term that stands for a Go value.
func toTerm(v any) (any, error) { return termOf(reflect.ValueOf(v), 0) }

func termOf(v reflect.Value, depth int) (any, error) {
	if depth > maxNesting {
		return nil, errNested
	}
	if !v.IsValid() {
		return nil, nil
	}
	if t, done, err := asItself(v); done {
		return t, err
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return termOf(v.Elem(), depth+1) // that of nil is not valid, and nil
	case reflect.Slice, reflect.Array:
		return sequenceOf(v, depth+1)
	case reflect.Map:
		return mapOf(v, depth+1)
	case reflect.Struct:
		return structOf(v, depth+1)
	}
	return scalarOf(v)
}

// asItself handles the types that are more than their kind; done is whether v is
// of one.
func asItself(v reflect.Value) (t any, done bool, err error) {
	if v.Kind() == reflect.Pointer && v.IsNil() || v.Kind() == reflect.Interface {
		return nil, v.Kind() == reflect.Pointer, nil
	}
	switch x := v.Interface().(type) {
	case Atom, *big.Int:
		return x, true, nil
	case big.Int:
		return &x, true, nil
	case encoding.TextMarshaler:
		text, err := x.MarshalText()
		return string(text), true, err
	}
	return nil, false, nil
}

func scalarOf(v reflect.Value) (any, error) {
	switch {
	case v.Kind() == reflect.Bool:
		return v.Bool(), nil
	case v.CanInt():
		return v.Int(), nil
	case v.CanUint():
		return new(big.Int).SetUint64(v.Uint()), nil
	case v.CanFloat():
		return v.Float(), nil
	case v.Kind() == reflect.String:
		return v.String(), nil
	}
	return nil, fmt.Errorf("no Erlang term stands for a %s", v.Type())
}

// sequenceOf returns a binary, a tuple or a list.
func sequenceOf(v reflect.Value, depth int) (any, error) {
	if v.Kind() == reflect.Slice && v.IsNil() {
		return nil, nil
	}
	if v.Type().Elem().Kind() == reflect.Uint8 {
		b := make([]byte, v.Len())
		reflect.Copy(reflect.ValueOf(b), v)
		return string(b), nil
	}
	list := make([]any, v.Len())
	for i := range list {
		t, err := termOf(v.Index(i), depth)
		if err != nil {
			return nil, err
		}
		list[i] = t
	}
	if v.Type() == reflect.TypeFor[Tuple]() {
		return Tuple(list), nil
	}
	return list, nil
}

// mapOf returns a map in the order of its keys' bytes, so that equal data makes
// equal tokens.
func mapOf(v reflect.Value, depth int) (any, error) {
	if v.IsNil() {
		return nil, nil
	}
	type entry struct {
		id []byte
		term.Pair
	}
	entries := make([]entry, 0, v.Len())
	for it := v.MapRange(); it.Next(); {
		key, err := termOf(it.Key(), depth)
		if err != nil {
			return nil, err
		}
		id, err := term.Encode(key)
		if err != nil {
			return nil, err
		}
		value, err := termOf(it.Value(), depth)
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry{id, term.Pair{Key: key, Value: value}})
	}
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(len(a.id), len(b.id)), bytes.Compare(a.id, b.id))
	})
	m := make(term.Map, len(entries))
	for i, e := range entries {
		m[i] = e.Pair
	}
	return m, nil
}

// structOf returns a map with atom keys.
func structOf(v reflect.Value, depth int) (any, error) {
	m := term.Map{}
	for name, i := range fieldsOf(v.Type()) {
		value, err := termOf(v.Field(i), depth)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", name, err)
		}
		m = append(m, term.Pair{Key: Atom(name), Value: value})
	}
	if len(m) == 0 && v.NumField() > 0 {
		return nil, fmt.Errorf("a %s has no exported field: nothing of it would be kept", v.Type())
	}
	return m, nil
}
