package telemetry

import (
	"reflect"
	"slices"
	"strings"
)

// Filtered is what a log shows where a [Filter] left something out.
const Filtered = "[FILTERED]"

// Filter keeps what is secret in parameters and payloads out of logs. [§14.2]
//
// Its zero value leaves out values whose key contains one of the usual terms, such
// as password or token, and texts that contain one followed by =, in whatever
// case: more than Phoenix, to which Token and secret may be shown. It is safe for
// concurrent use as long as nobody changes its fields.
type Filter struct {
	// Discard are the terms that make a key or, followed by =, a text secret,
	// in any case. Default: password, token, secret, authorization, credential,
	// api_key, api-key and apikey. An empty list that is not nil leaves nothing out.
	Discard []string

	// Keep, unless it is nil, turns the filter round: only what stands under
	// exactly these keys is shown, and Discard is not looked at. An empty list
	// that is not nil shows nothing but keys. Default: nil.
	Keep []string
}

// usualSecrets are what Discard is by default.
var usualSecrets = [...]string{"password", "token", "secret", "authorization", "credential", "api_key", "api-key", "apikey"}

// deepest is how many values may lie in each other before a filter leaves out the
// rest: one may hold itself. A map or list in an interface counts twice.
const deepest = 64

// Apply returns what a log may show of v: decoded JSON, [net/url.Values] or any
// other maps with texts as keys, lists, texts, numbers and booleans. What it
// cannot look into, as bytes and structs, is left out. v is not changed, and
// shares with the result only what Keep keeps.
func (f Filter) Apply(v any) any {
	if f.Keep == nil && f.Discard == nil {
		f.Discard = usualSecrets[:]
	}
	return f.value(reflect.ValueOf(v), deepest)
}

// value filters a value in which so many levels may lie.
func (f Filter) value(v reflect.Value, levels int) any {
	if levels == 0 {
		return Filtered
	}
	switch v.Kind() {
	case reflect.Invalid:
		return f.scalar(nil)
	case reflect.Pointer, reflect.Interface:
		return f.value(v.Elem(), levels-1) // nil's is not valid
	case reflect.Map:
		return f.pairs(v, levels-1)
	case reflect.Slice, reflect.Array:
		return f.list(v, levels-1)
	case reflect.String:
		return f.text(v.String())
	}
	if v.Kind() == reflect.Bool || v.CanInt() || v.CanUint() || v.CanFloat() {
		return f.scalar(v.Interface())
	}
	return Filtered
}

// scalar filters what has no inside.
func (f Filter) scalar(v any) any {
	if f.Keep != nil {
		return Filtered
	}
	return v
}

// text filters a string. Clause 284.
func (f Filter) text(s string) string {
	if f.Keep != nil || f.secret(s, "=") {
		return Filtered
	}
	return s
}

// secret reports whether s contains a term that is followed by what follows.
func (f Filter) secret(s, follows string) bool {
	s = strings.ToLower(s)
	return slices.ContainsFunc(f.Discard, func(term string) bool { return strings.Contains(s, strings.ToLower(term)+follows) })
}

// pairs filters a map. Clauses 283, 285.
func (f Filter) pairs(v reflect.Value, levels int) any {
	if v.Type().Key().Kind() != reflect.String {
		return Filtered
	}
	shown := make(map[string]any, v.Len())
	for it := v.MapRange(); it.Next(); {
		key := it.Key().String()
		switch {
		case f.Keep == nil && f.secret(key, ""):
			shown[key] = Filtered
		case slices.Contains(f.Keep, key):
			shown[key] = it.Value().Interface()
		default:
			shown[key] = f.value(it.Value(), levels)
		}
	}
	return shown
}

// list filters each element, unless it is bytes, which may say anything.
func (f Filter) list(v reflect.Value, levels int) any {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		return Filtered
	}
	shown := make([]any, v.Len())
	for i := range shown {
		shown[i] = f.value(v.Index(i), levels)
	}
	return shown
}
