package transport

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Params are the connect parameters: the decoded query, then the path variables.
//
// Every value is a string, a Params or a []any of such values, and every string
// is valid UTF-8 [§4.1]. Keys are data: none, not even "__proto__" or "", means
// anything to this package. A Params is a plain map: not safe for a writer
// beside others.
type Params map[string]any

// Bounds of a query. A query beyond them is refused with ErrBadQuery: both are
// far above what a client library sends and far below what hurts a server.
const (
	MaxParamDepth = 32   // levels of one key: a[b][c] has three
	MaxParams     = 1000 // pairs between "&", empty ones not counted; also maps and lists
)

// ErrBadQuery means a query that has no decoding: an HTTP 400 [§4.1], clause 28.
var ErrBadQuery = errors.New("transport: bad query")

// ParseQuery decodes the raw query of a URL, without its "?".
//
//   - `a=1` is a string, `a[b]=1` a map, `a[]=1` a list; brackets nest, may be
//     percent-encoded, and `a[0]=1` is a map with the key "0".
//   - "+" is a space; a "%" that no two hex digits follow stands for itself.
//   - A pair without "=" has the value "". Empty pairs count for nothing.
//   - A key that does not end in "]", or begins with "[", has no levels: `a[b`
//     and `[b]` are names like any other.
//
// Where pairs contradict each other ParseQuery does as Plug does: the later one
// wins, within its own level. `a=1&a[b]=2` is a map, `a[b]=2&a=1` a string, and
// `a[b]=1&a[]=2` the list alone. What is added to a level that exists does not
// bring the level back: after `a[b]=1&a=2`, `a[c]=3` changes nothing.
//
// The error wraps ErrBadQuery: bytes that are not UTF-8 once decoded, or a query
// beyond MaxParams or MaxParamDepth. Keys without escapes share raw's memory, values do not.
func ParseQuery(raw string) (Params, error) {
	q := query{params: make(Params)}
	for left, more := raw, true; more; {
		var pair string
		pair, left, more = strings.Cut(left, "&")
		if pair == "" {
			continue // clause 27
		}
		if err := q.add(pair); err != nil {
			return nil, err
		}
	}
	return q.done(), nil
}

// String returns the string under key, or "" when there is none.
func (p Params) String(key string) string {
	s, _ := p[key].(string)
	return s
}

// Map returns the map under key, or nil when there is none.
func (p Params) Map(key string) Params {
	m, _ := p[key].(Params)
	return m
}

// List returns the list under key, or nil when there is none.
func (p Params) List(key string) []any {
	l, _ := p[key].([]any)
	return l
}

// Override puts path variables over parameters of the same name.
func (p Params) Override(vars []Var) { // [§3.1], clause 6
	for _, v := range vars {
		p[v.Name] = v.Value
	}
}

// query is a decoding under way: params holds strings and, where a key has
// levels, the *level that done replaces with its value.
type query struct {
	params Params
	levels map[string]*level // by first name; outlives a string that took its place
	pairs  int
	opened int // levels; a byte or two of query can cost a map each
}

// level is the inside of one bracket: what `a[…]=` pairs have put under `a`.
// Both kinds are kept, since only the last pair tells which of them counts.
type level struct {
	named  Params
	listed []any
	levels map[string]*level // by name; "" is the level that `[]` opens
	list   bool              // the newest value came without a name
}

func (q *query) add(pair string) error {
	if q.pairs++; q.pairs > MaxParams {
		return fmt.Errorf("%w: more than %d parameters", ErrBadQuery, MaxParams)
	}
	k, v, _ := strings.Cut(pair, "=")
	key, value := strings.Clone(unescape(k)), strings.Clone(unescape(v)) // who keeps a value keeps no query
	if !utf8.ValidString(key) || !utf8.ValidString(value) {
		return fmt.Errorf("%w: not UTF-8", ErrBadQuery)
	}
	name, brackets, nested := strings.Cut(key, "[")
	if !nested || name == "" || key[len(key)-1] != ']' {
		q.params[key] = value
		return nil
	}
	return q.addNested(name, brackets[:len(brackets)-1], value)
}

// addNested puts value at name[inner], where inner is still split by "][".
func (q *query) addNested(name, inner, value string) error {
	if strings.Count(inner, "][")+2 > MaxParamDepth {
		return fmt.Errorf("%w: more than %d levels", ErrBadQuery, MaxParamDepth)
	}
	l, fresh := q.open(&q.levels, name)
	if fresh {
		q.params[name] = l
	}
	for {
		key, deeper, more := strings.Cut(inner, "][")
		if !more {
			l.put(key, value)
			return q.checkLevels()
		}
		child, fresh := q.open(&l.levels, key)
		if fresh {
			l.put(key, child)
		}
		l, inner = child, deeper
	}
}

// open returns the level under key, and whether it had to be made: then it is
// the newest value of the level above.
func (q *query) open(levels *map[string]*level, key string) (l *level, fresh bool) {
	if l := (*levels)[key]; l != nil {
		return l, false
	}
	if *levels == nil {
		*levels = make(map[string]*level)
	}
	l = new(level)
	(*levels)[key] = l
	q.opened++
	return l, true
}

func (q *query) checkLevels() error {
	if q.opened > MaxParams {
		return fmt.Errorf("%w: more than %d maps and lists", ErrBadQuery, MaxParams)
	}
	return nil
}

func (l *level) put(key string, value any) {
	if l.list = key == ""; l.list {
		l.listed = append(l.listed, value)
		return
	}
	if l.named == nil {
		l.named = make(Params)
	}
	l.named[key] = value
}

func (q *query) done() Params {
	if q.levels != nil {
		q.params.settle()
	}
	return q.params
}

// value is the level as the application sees it, its own levels settled too.
func (l *level) value() any {
	if !l.list {
		l.named.settle()
		return l.named
	}
	for i, v := range l.listed {
		if child, ok := v.(*level); ok {
			l.listed[i] = child.value()
		}
	}
	return l.listed
}

// settle replaces every level in p by its value; MaxParamDepth bounds the recursion.
func (p Params) settle() {
	for key, v := range p {
		if child, ok := v.(*level); ok {
			p[key] = child.value()
		}
	}
}

// unescape undoes form encoding and leaves a broken escape as it is [§4.1].
func unescape(s string) string {
	i := strings.IndexAny(s, "%+")
	if i < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	b.WriteString(s[:i])
	for ; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '+':
			c = ' '
		case c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			c = unhex(s[i+1])<<4 | unhex(s[i+2])
			i += 2
		}
		b.WriteByte(c)
	}
	return b.String()
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

// unhex is the value of a hex digit: letters have bit 6 set and a low nibble from 1.
func unhex(c byte) byte {
	return c&0x0f + c>>6*9
}
