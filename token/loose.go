package token

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"

	"github.com/roostgo/roost/internal/term"
)

// loose returns a term as what an empty interface holds.
func loose(t any) (any, error) {
	switch t := t.(type) {
	case []any:
		return looseAll(t)
	case Tuple:
		return looseAll(t)
	case term.Map:
		return looseMap(t)
	}
	return t, nil
}

func looseAll[S ~[]any](s S) (any, error) {
	all := make(S, len(s))
	for i, t := range s {
		v, err := loose(t)
		if err != nil {
			return nil, err
		}
		all[i] = v
	}
	return all, nil
}

func looseMap(m term.Map) (any, error) {
	named, err := byName(m)
	if err != nil {
		return nil, err
	}
	if len(named) != len(m) {
		return nil, errors.New("a map with keys that are no text: read it into a Go map with keys of their type")
	}
	for name, t := range named {
		if named[name], err = loose(t); err != nil {
			return nil, err
		}
	}
	return named, nil
}

// byName returns those pairs of a map whose keys are atoms or binaries. Which of
// an atom and a binary of the same name is meant cannot be told.
func byName(m term.Map) (map[string]any, error) {
	named := make(map[string]any, len(m))
	for _, p := range m {
		name, ok := text(p.Key)
		if !ok {
			continue
		}
		if _, twice := named[name]; twice {
			return nil, fmt.Errorf("a map that has the key %s as an atom and as a binary", name)
		}
		named[name] = p.Value
	}
	return named, nil
}

// text returns the text of a binary or an atom.
func text(t any) (string, bool) {
	switch t := t.(type) {
	case string:
		return t, true
	case Atom:
		return string(t), true
	}
	return "", false
}

// fillScalar stores a boolean, a number or a text in v.
func fillScalar(v reflect.Value, t any) error {
	switch {
	case v.Kind() == reflect.Bool:
		if b, ok := t.(bool); ok {
			v.SetBool(b)
			return nil
		}
	case v.CanInt():
		if n, ok := t.(int64); ok && !v.OverflowInt(n) {
			v.SetInt(n)
			return nil
		}
	case v.CanUint():
		if n, ok := wide(t); ok && n.IsUint64() && !v.OverflowUint(n.Uint64()) {
			v.SetUint(n.Uint64())
			return nil
		}
	case v.CanFloat():
		if f, ok := float(t); ok && !v.OverflowFloat(f) {
			v.SetFloat(f)
			return nil
		}
	case v.Kind() == reflect.String:
		if s, ok := text(t); ok {
			v.SetString(s)
			return nil
		}
	}
	return mismatch(v, t)
}

// float returns a number as a float, if that is what it is exactly.
func float(t any) (float64, bool) {
	if f, ok := t.(float64); ok {
		return f, true
	}
	n, ok := wide(t)
	if !ok {
		return 0, false
	}
	f, accuracy := new(big.Float).SetInt(n).Float64()
	return f, accuracy == big.Exact && !math.IsInf(f, 0)
}
