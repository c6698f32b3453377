package transport

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Path matches the URL path of one transport of a mounted socket [§3.1].
//
// The zero Path matches "/". A Path does not change: safe for concurrent use.
type Path struct {
	segments []string // a variable keeps its colon
	exposed  int      // variables that Match returns
}

// Var is a path variable and the segment that it matched.
type Var struct{ Name, Value string }

// ErrBadPath means a mount path that cannot be matched against requests.
var ErrBadPath = errors.New("transport: bad mount path")

// ParsePath joins a socket's base path and a transport's path: "/socket" and "/websocket".
//
// Both are split on "/" and empty segments dropped, so either may be "" or "/".
// A segment ":name" is a variable: it matches any one segment. Patterns are
// written decoded ("/café", not "/caf%C3%A9"). The error wraps ErrBadPath and
// names every bad segment: a variable whose name is no identifier or that
// occurs twice, a colon inside a segment, a "?" or "#", or a segment that begins
// with "*".
func ParsePath(base, transport string) (Path, error) {
	var p Path
	var bad []error
	for segment := range segments(base + "/" + transport) {
		if err := p.add(segment); err != nil {
			bad = append(bad, err)
		}
	}
	if len(bad) > 0 {
		return Path{}, fmt.Errorf("%w: %w", ErrBadPath, errors.Join(bad...))
	}
	return p, nil
}

// Match reports whether urlPath is this path, and the variables in path order.
//
// It takes the decoded path that net/http leaves in r.URL.Path; an encoded
// slash has become a separator by then. Empty segments are skipped, clause 3.
// Variables whose name begins with "_" match and are not returned, clause 7. A
// variable matches only valid UTF-8, since its value becomes a parameter.
// Match does not allocate unless it returns variables.
func (p Path) Match(urlPath string) (vars []Var, ok bool) {
	if !p.matches(urlPath) {
		return nil, false
	}
	if p.exposed > 0 {
		vars = p.variables(urlPath)
	}
	return vars, true
}

// String returns the path in its shortest form: "/socket/websocket".
func (p Path) String() string {
	return "/" + strings.Join(p.segments, "/")
}

func (p *Path) add(segment string) error {
	name, variable := strings.CutPrefix(segment, ":")
	switch {
	case variable && !isIdentifier(name):
		return fmt.Errorf("%q: a variable is a colon and an identifier, as in :user_id", segment)
	case !variable && strings.Contains(segment, ":"):
		return fmt.Errorf("%q: a variable takes a whole segment, as in /:user_id/", segment)
	case strings.ContainsAny(segment, "?#"):
		return fmt.Errorf("%q: a path ends before a ? or #", segment)
	case strings.HasPrefix(segment, "*"):
		return fmt.Errorf("%q: a mount path has no wildcards; write one :variable per segment", segment)
	case exposes(segment) && slices.Contains(p.segments, segment):
		return fmt.Errorf("%q: a variable occurs once in a path", segment)
	}
	if exposes(segment) {
		p.exposed++
	}
	p.segments = append(p.segments, segment)
	return nil
}

func (p Path) matches(urlPath string) bool {
	n := 0
	for segment := range segments(urlPath) {
		if n == len(p.segments) || !accepts(p.segments[n], segment) {
			return false
		}
		n++
	}
	return n == len(p.segments)
}

// variables collects the exposed variables of a path that matches.
func (p Path) variables(urlPath string) []Var {
	vars := make([]Var, 0, p.exposed)
	n := 0
	for segment := range segments(urlPath) {
		if exposes(p.segments[n]) {
			vars = append(vars, Var{Name: p.segments[n][1:], Value: strings.Clone(segment)}) // who keeps a variable keeps no request line
		}
		n++
	}
	return vars
}

// segments yields what stands between slashes, empty segments left out.
func segments(path string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for more := true; more; {
			var segment string
			segment, path, more = strings.Cut(path, "/")
			if segment != "" && !yield(segment) {
				return
			}
		}
	}
}

func accepts(pattern, segment string) bool {
	if pattern[0] == ':' {
		return utf8.ValidString(segment)
	}
	return pattern == segment
}

func exposes(pattern string) bool {
	return pattern[0] == ':' && pattern[1] != '_'
}

func isIdentifier(name string) bool {
	for i, c := range []byte(name) {
		letter := c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}
