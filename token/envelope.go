package token

import (
	"fmt"
	"math"
	"math/big"
	"time"

	"github.com/roostgo/roost/internal/term"
)

// envelope is what a token holds: data, when it was made and how old it may get.
// Ages are in milliseconds here; noEnd is infinity. §16
type envelope struct {
	data   any
	signed int64
	maxAge int64
}

// noEnd is longer than any age, and short enough to be subtracted from any time.
const noEnd = math.MaxInt64 / 4

// infinity is Erlang's word for noEnd and [Forever].
const infinity = Atom("infinity")

// enclose returns the bytes of data's envelope.
func (k *Keyring) enclose(data any) ([]byte, error) {
	v, err := toTerm(data)
	if err != nil {
		return nil, fmt.Errorf("token: its data: %w", err)
	}
	at := k.at
	if at.IsZero() {
		at = time.Now()
	}
	content, err := term.Encode(Tuple{v, at.UnixMilli(), seconds(k.maxAge)})
	if err != nil {
		return nil, fmt.Errorf("token: its data: %w", err)
	}
	return content, nil
}

// seconds returns an age as Phoenix stores it: a float only where it must.
func seconds(age time.Duration) any {
	switch {
	case age == Forever:
		return infinity
	case age%time.Second == 0:
		return int64(age / time.Second)
	}
	return age.Seconds()
}

// accept checks a token of which authentic returns the authentic content.
func (k *Keyring) accept(token string, maxAge time.Duration, dst any, authentic func(string) ([]byte, error)) error {
	switch {
	case token == "":
		return ErrMissing
	case len(token) > maxToken:
		return fmt.Errorf("%w: %d bytes, the bound is %d", ErrInvalid, len(token), maxToken)
	}
	content, err := authentic(token)
	if err != nil {
		return err
	}
	e, err := read(content)
	if err != nil {
		return err
	}
	if err := e.current(time.Now(), maxAge, k.leeway); err != nil {
		return err
	}
	return store(dst, e.data)
}

// read reads an envelope of any form that Phoenix has used. §16
func read(content []byte) (envelope, error) {
	v, err := term.Decode(content)
	if err != nil {
		return envelope{}, fmt.Errorf("%w: its content: %w", ErrInvalid, err)
	}
	data, signed, age, ok := parts(v)
	at, isTime := signed.(int64)
	ms, isAge := milliseconds(age)
	if !ok || !isTime || !isAge {
		return envelope{}, fmt.Errorf("%w: its content is not data, time and age", ErrInvalid)
	}
	return envelope{data, at, ms}, nil
}

// parts takes an envelope apart. The forms without an age are older. §16
func parts(v any) (data, signed, age any, ok bool) {
	age = seconds(defaultMaxAge)
	switch v := v.(type) {
	case Tuple:
		switch len(v) {
		case 3:
			return v[0], v[1], v[2], true
		case 2:
			return v[0], v[1], age, true
		}
	case term.Map:
		named, err := byName(v)
		data, ok = named["data"]
		return data, named["signed"], age, ok && err == nil
	}
	return nil, nil, nil, false
}

// milliseconds returns a stored age in milliseconds; false when it is none.
func milliseconds(age any) (int64, bool) {
	switch age := age.(type) {
	case int64:
		if age > noEnd/1000 {
			return noEnd, true
		}
		return max(age, 0) * 1000, true
	case float64:
		return int64(min(max(age, 0)*1000, noEnd)), true
	case *big.Int:
		return max(int64(age.Sign()), 0) * noEnd, true
	case Atom:
		return noEnd, age == infinity
	}
	return 0, false
}

// current reports whether the token is neither from the future nor too old.
func (e envelope) current(now time.Time, maxAge, leeway time.Duration) error {
	age := e.maxAge
	switch maxAge {
	case AsSigned:
	case Forever:
		age = noEnd
	default:
		age = maxAge.Milliseconds()
	}
	switch {
	case e.signed > now.Add(leeway).UnixMilli():
		return fmt.Errorf("%w: signed in the future; do the clocks agree?", ErrInvalid)
	case age <= 0, age < noEnd && e.signed < now.UnixMilli()-age:
		return ErrExpired
	}
	return nil
}
