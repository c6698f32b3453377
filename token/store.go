package token

import (
	"cmp"
	"encoding"
	"errors"
	"fmt"
	"iter"
	"math/big"
	"reflect"

	"github.com/roostgo/roost/internal/term"
)

// fieldsOf yields the name and the index of each field of a struct that is kept.
func fieldsOf(t reflect.Type) iter.Seq2[string, int] {
	return func(yield func(string, int) bool) {
		for i := range t.NumField() {
			f := t.Field(i)
			name := cmp.Or(f.Tag.Get("token"), f.Name)
			if f.IsExported() && name != "-" && !yield(name, i) {
				return
			}
		}
	}
}

// store stores a token's data in what dst points to, all of it or nothing.
func store(dst, data any) error {
	if dst == nil {
		return nil
	}
	p := reflect.ValueOf(dst)
	if p.Kind() != reflect.Pointer || p.IsNil() {
		return fmt.Errorf("token: data cannot be stored in a %T: hand over a pointer to a variable", dst)
	}
	v := reflect.New(p.Type().Elem()).Elem()
	if err := fill(v, data); err != nil {
		return fmt.Errorf("%w: its data: %w", ErrInvalid, err)
	}
	p.Elem().Set(v)
	return nil
}

func mismatch(v reflect.Value, t any) error {
	return fmt.Errorf("a %s cannot hold %s", v.Type(), kindOf(t))
}

// kindOf says what a term is. Its value is left out: it may be a secret.
func kindOf(t any) string {
	switch t.(type) {
	case nil:
		return "nil"
	case bool:
		return "a boolean"
	case int64, *big.Int:
		return "this integer"
	case float64:
		return "this float"
	case string:
		return "this binary"
	case Atom:
		return "an atom"
	case Tuple:
		return "this tuple"
	case term.Map:
		return "this map"
	}
	return "this list"
}

// fill stores a term in v, which is zero.
func fill(v reflect.Value, t any) error {
	if done, err := fillItself(v, t); done {
		return err
	}
	switch v.Kind() {
	case reflect.Pointer:
		return fillPointer(v, t)
	case reflect.Slice, reflect.Array:
		return fillSequence(v, t)
	case reflect.Map:
		return fillMap(v, t)
	case reflect.Struct:
		return fillStruct(v, t)
	}
	return fillScalar(v, t)
}

// fillItself handles the types that are more than their kind; done is whether v
// is of one.
func fillItself(v reflect.Value, t any) (done bool, err error) {
	switch p := v.Addr().Interface().(type) {
	case *any:
		*p, err = loose(t)
		return true, err
	case *Atom:
		a, ok := t.(Atom)
		if !ok {
			return true, mismatch(v, t)
		}
		*p = a
		return true, nil
	case *big.Int:
		n, ok := wide(t)
		if !ok {
			return true, mismatch(v, t)
		}
		p.Set(n)
		return true, nil
	case encoding.TextUnmarshaler:
		text, ok := t.(string)
		if !ok || p.UnmarshalText([]byte(text)) != nil { // its error would quote the text
			return true, mismatch(v, t)
		}
		return true, nil
	}
	return false, nil
}

func wide(t any) (*big.Int, bool) {
	switch t := t.(type) {
	case int64:
		return big.NewInt(t), true
	case *big.Int:
		return t, true
	}
	return nil, false
}

func fillPointer(v reflect.Value, t any) error {
	if t == nil {
		return nil
	}
	v.Set(reflect.New(v.Type().Elem()))
	return fill(v.Elem(), t)
}

// fillSequence stores a binary in bytes, a list in slices and arrays, a tuple in
// a Tuple and in arrays.
func fillSequence(v reflect.Value, t any) error {
	isTuple := v.Type() == reflect.TypeFor[Tuple]()
	isArray := v.Kind() == reflect.Array
	switch t := t.(type) {
	case nil:
		if !isArray {
			return nil
		}
	case string:
		if v.Type().Elem().Kind() == reflect.Uint8 && makeRoom(v, len(t)) {
			reflect.Copy(v, reflect.ValueOf([]byte(t)))
			return nil
		}
	case []any:
		if !isTuple {
			return fillElements(v, t)
		}
	case Tuple:
		if isTuple || isArray {
			return fillElements(v, t)
		}
	}
	return mismatch(v, t)
}

// makeRoom makes v, a slice or an array, n elements long if it can.
func makeRoom(v reflect.Value, n int) bool {
	if v.Kind() == reflect.Slice {
		v.Set(reflect.MakeSlice(v.Type(), n, n))
	}
	return v.Len() == n
}

func fillElements(v reflect.Value, list []any) error {
	if !makeRoom(v, len(list)) {
		return fmt.Errorf("a %s cannot hold %d elements", v.Type(), len(list))
	}
	for i, t := range list {
		if err := fill(v.Index(i), t); err != nil {
			return err
		}
	}
	return nil
}

func fillMap(v reflect.Value, t any) error {
	m, ok := t.(term.Map)
	if !ok {
		if t == nil {
			return nil
		}
		return mismatch(v, t)
	}
	v.Set(reflect.MakeMapWithSize(v.Type(), len(m)))
	for _, p := range m {
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		if err := errors.Join(fill(key, p.Key), fill(value, p.Value)); err != nil {
			return err
		}
		if !key.Comparable() || v.MapIndex(key).IsValid() {
			return fmt.Errorf("a %s cannot hold all keys of this map", v.Type())
		}
		v.SetMapIndex(key, value)
	}
	return nil
}

// fillStruct stores a map's values in the fields that its keys name.
func fillStruct(v reflect.Value, t any) error {
	m, ok := t.(term.Map)
	if !ok {
		return mismatch(v, t)
	}
	named, err := byName(m)
	if err != nil {
		return err
	}
	for name, i := range fieldsOf(v.Type()) {
		value, ok := named[name]
		if !ok && v.Field(i).Kind() == reflect.Pointer {
			continue
		}
		if !ok {
			return fmt.Errorf("the key %s is missing", name)
		}
		if err := fill(v.Field(i), value); err != nil {
			return fmt.Errorf("field %s: %w", name, err)
		}
	}
	return nil
}
