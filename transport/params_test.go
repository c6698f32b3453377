package transport_test

import (
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/roostgo/roost/transport"
)

type (
	params = transport.Params
	list   = []any
)

func TestAQueryDecodesAsPlugDecodesIt(t *testing.T) {
	tests := []struct {
		name, query string
		want        params
	}{
		{"nothing", "", params{}},
		{"clause 29: vsn is a parameter like any other", "vsn=2.0.0&user=7", params{"vsn": "2.0.0", "user": "7"}},

		{"clause 25: the example of the protocol", "a=1&b[c]=2&l[]=x&l[]=y",
			params{"a": "1", "b": params{"c": "2"}, "l": list{"x", "y"}}},
		{"clause 25: encoded brackets", "a%5Bb%5D=1&l%5b%5d=x", params{"a": params{"b": "1"}, "l": list{"x"}}},
		{"clause 25: maps in maps", "x[y][z]=1&x[y][w]=2&x[v]=3",
			params{"x": params{"y": params{"z": "1", "w": "2"}, "v": "3"}}},
		{"clause 25: a list in maps", "x[y][z][]=1&x[y][z][]=2",
			params{"x": params{"y": params{"z": list{"1", "2"}}}}},
		{"clause 25: lists in lists", "x[][][]=1", params{"x": list{list{list{"1"}}}}},
		{"clause 25: pairs of one list share its map", "x[][a]=1&x[][b]=2", params{"x": list{params{"a": "1", "b": "2"}}}},
		{"clause 21: a list under vsn is no string", "vsn[]=2.0.0", params{"vsn": list{"2.0.0"}}},

		{"clause 26: indices make a map", "l[0]=x&l[1]=y", params{"l": params{"0": "x", "1": "y"}}},
		{"clause 27: a trailing ampersand", "a=1&", params{"a": "1"}},
		{"clause 27: empty pairs", "&a=1&&b=2&", params{"a": "1", "b": "2"}},
		{"clause 27: nothing but ampersands", "&&&", params{}},

		{"no equals sign", "a&l[]&m[k]", params{"a": "", "l": list{""}, "m": params{"k": ""}}},
		{"an equals sign in the value", "a=b=c", params{"a": "b=c"}},
		{"an empty key", "=v", params{"": "v"}},
		{"an equals sign alone", "=", params{"": ""}},

		{"a plus is a space", "a+b=c+d", params{"a b": "c d"}},
		{"an encoded plus is a plus", "a=2.0.0%2Bbuild", params{"a": "2.0.0+build"}},
		{"an encoded ampersand and equals sign do not split", "a=1%262%3D3", params{"a": "1&2=3"}},
		{"a broken escape stands for itself", "a=%zz&b=%&c=%4&d=%4g%41", params{"a": "%zz", "b": "%", "c": "%4", "d": "%4gA"}},
		{"a percent sign before an escape", "a=%%41", params{"a": "%A"}},
		{"an escape is undone once", "a=%2541", params{"a": "%41"}},
		{"both cases of hex digits", "a=%c3%A9%C3%a9", params{"a": "éé"}},
		{"raw UTF-8", "ключ=значение", params{"ключ": "значение"}},
		{"a NUL byte", "a%00b=%00", params{"a\x00b": "\x00"}},

		{"later strings win", "a=1&a=2", params{"a": "2"}},
		{"later strings win in a map", "a[b]=1&a[b]=2", params{"a": params{"b": "2"}}},
		{"a later map wins", "a=1&a[b]=2", params{"a": params{"b": "2"}}},
		{"a later string wins", "a[b]=2&a=1", params{"a": "1"}},
		{"a later string wins in a map", "x[y][][w]=2&x[y]=1", params{"x": params{"y": "1"}}},
		{"a later map wins over a list", "x[]=1&x[y]=2", params{"x": params{"y": "2"}}},
		{"a later list wins over a map", "x[y]=1&x[]=2&x[]=3", params{"x": list{"2", "3"}}},
		{"the last pair decides between map and list", "x[]=1&x[y]=2&x[]=3", params{"x": list{"1", "3"}}},
		{"a level that lost does not come back", "a[b]=1&a=2&a[c]=3", params{"a": "2"}},
		{"a deeper pair does not decide for the level above", "a[][x]=1&a[b]=2&a[][y]=3", params{"a": params{"b": "2"}}},

		{"an open bracket is part of a name", "a[b=1", params{"a[b": "1"}},
		{"a closing bracket is part of a name", "a]=1&b]c[=2", params{"a]": "1", "b]c[": "2"}},
		{"a leading bracket is part of a name", "[a]=1&[]=2", params{"[a]": "1", "[]": "2"}},
		{"text between brackets belongs to the key", "a[b]c[d]=1", params{"a": params{"b]c[d": "1"}}},
		{"brackets in brackets", "a[[b]]=1", params{"a": params{"[b]": "1"}}},
		{"names that mean something to JavaScript are ordinary", "__proto__[x]=1&constructor=2&a[__proto__]=3",
			params{"__proto__": params{"x": "1"}, "constructor": "2", "a": params{"__proto__": "3"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := transport.ParseQuery(tt.query)
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("ParseQuery(%q) = %#v, %v; want %#v", tt.query, got, err, tt.want)
			}
		})
	}
}

func TestAQueryWithoutDecodingIsRefused(t *testing.T) {
	tests := []struct{ name, query string }{
		{"clause 28: a value that is not UTF-8", "a=%ff"},
		{"clause 28: a key that is not UTF-8", "%ff=a"},
		{"clause 28: a key in brackets that is not UTF-8", "a[%ff]=a"},
		{"clause 28: half a character", "a=%c3&b=%a9"},
		{"clause 28: a surrogate", "a=%ed%a0%80"},
		{"clause 28: an overlong slash", "a=%c0%af"},
		{"clause 28: raw bytes that are not UTF-8", "a=\xff"},
		{"one level too many", "a" + strings.Repeat("[b]", transport.MaxParamDepth) + "=1"},
		{"one list too many", "a" + strings.Repeat("[]", transport.MaxParamDepth) + "=1"},
		{"ten thousand brackets", "a" + strings.Repeat("[]", 10_000) + "=1"},
		{"one parameter too many", strings.Repeat("a=1&", transport.MaxParams+1)},
		{"one map too many", "z[b]=1&" + manyKeys("a%d[b][c]=1&", transport.MaxParams/2)},
		{"many deep keys", manyKeys("a%d"+strings.Repeat("[]", transport.MaxParamDepth-1)+"=1&", 200)},
		{"one list element too many", strings.Repeat("a[]=1&", transport.MaxParams+1)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := transport.ParseQuery(tt.query)
			if !errors.Is(err, transport.ErrBadQuery) || got != nil {
				t.Errorf("ParseQuery = %v, %v; want ErrBadQuery", got, err)
			}
		})
	}
}

// manyKeys writes n pairs of a pattern with one number in it.
func manyKeys(pattern string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, pattern, i)
	}
	return b.String()
}

func TestAQueryAtItsBoundsDecodes(t *testing.T) {
	deep := "a" + strings.Repeat("[b]", transport.MaxParamDepth-1) + "=1"
	p, err := transport.ParseQuery(deep)
	if err != nil {
		t.Fatal(err)
	}
	m := p.Map("a")
	for range transport.MaxParamDepth - 2 {
		m = m.Map("b")
	}
	if m.String("b") != "1" {
		t.Errorf("the deepest level is %v, want b=1", m)
	}

	many, err := transport.ParseQuery(strings.Repeat("a[]=1&&", transport.MaxParams))
	if err != nil || len(many.List("a")) != transport.MaxParams {
		t.Errorf("%d list elements, %v; want %d", len(many.List("a")), err, transport.MaxParams)
	}

	maps, err := transport.ParseQuery(manyKeys("a%d[b][c]=1&", transport.MaxParams/2))
	if err != nil || len(maps) != transport.MaxParams/2 {
		t.Errorf("%d maps of maps, %v; want %d", len(maps), err, transport.MaxParams/2)
	}
}

func TestManyUnclosedBracketsAreAName(t *testing.T) {
	key := "a" + strings.Repeat("[", 10_000)
	got, err := transport.ParseQuery(key + "=1")
	if err != nil || got.String(key) != "1" {
		t.Errorf("ParseQuery: %v", err)
	}
}

func TestParamsOfAnotherKindAreAbsent(t *testing.T) {
	p := params{"s": "x", "m": params{"k": "v"}, "l": list{"y"}}
	if p.String("s") != "x" || p.Map("m").String("k") != "v" || p.List("l")[0] != "y" {
		t.Errorf("%v is not read back", p)
	}
	for _, key := range []string{"m", "l", "none"} {
		if s := p.String(key); s != "" {
			t.Errorf("String(%q) = %q, want none", key, s)
		}
	}
	for _, key := range []string{"s", "l", "none"} {
		if m := p.Map(key); m != nil || m.Map("deeper").String("still") != "" {
			t.Errorf("Map(%q) = %v, want none", key, m)
		}
	}
	for _, key := range []string{"s", "m", "none"} {
		if l := p.List(key); l != nil {
			t.Errorf("List(%q) = %v, want none", key, l)
		}
	}
}

func TestAPathVariableOverridesAParameter(t *testing.T) {
	path, err := transport.ParsePath("/ws/:user_id", "project/:project_id")
	if err != nil {
		t.Fatal(err)
	}
	p, err := transport.ParseQuery("user_id[x]=query&other=1")
	if err != nil {
		t.Fatal(err)
	}
	vars, _ := path.Match("/ws/7/project/9")
	p.Override(vars)
	want := params{"user_id": "7", "project_id": "9", "other": "1"}
	if !reflect.DeepEqual(p, want) { // clauses 5 and 6
		t.Errorf("params are %v, want %v", p, want)
	}
}

func TestFlatQueriesAgreeWithTheStandardLibrary(t *testing.T) {
	values := url.Values{"a": {"1 2"}, "ü": {"%&=+;[]"}, "z": {""}, "vsn": {"2.0.0"}}
	got, err := transport.ParseQuery(values.Encode())
	if err != nil || len(got) != len(values) {
		t.Fatalf("ParseQuery = %v, %v", got, err)
	}
	for key := range values {
		if got.String(key) != values.Get(key) {
			t.Errorf("%q is %q, want %q", key, got.String(key), values.Get(key))
		}
	}
}

func FuzzParseQuery(f *testing.F) {
	for _, seed := range []string{
		"", "a=1&", "a=1&b[c]=2&l[]=x&l[]=y", "a%5Bb%5D=1", "l[0]=x&l[1]=y", "a=%zz", "a=%ff", "a=1&a[b]=2",
		"a[b]=1&a=2&a[c]=3", "x[][a]=1&x[][b]=2", "x[y]=1&x[]=2", "__proto__[x]=1", "[a]=1", "a[b=1", "a[]][b]=1", "=", "a+b=%00",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		got, err := transport.ParseQuery(query)
		if err != nil {
			if !errors.Is(err, transport.ErrBadQuery) || got != nil {
				t.Fatalf("ParseQuery(%q) = %v, %v", query, got, err)
			}
			return
		}
		checkParam(t, got, 1)
		again, err := transport.ParseQuery("&" + query + "&&")
		if err != nil || !reflect.DeepEqual(got, again) {
			t.Fatalf("%q with empty pairs is %v, %v; without, %v", query, again, err, got)
		}
	})
}

// checkParam fails on what no decoded query holds, and on nesting without bound.
func checkParam(t *testing.T, v any, depth int) {
	t.Helper()
	if depth > transport.MaxParamDepth+1 {
		t.Fatal("deeper than MaxParamDepth")
	}
	switch v := v.(type) {
	case string:
		if !utf8.ValidString(v) {
			t.Fatalf("%q is not UTF-8", v)
		}
	case params:
		for key, value := range v {
			checkParam(t, key, depth)
			checkParam(t, value, depth+1)
		}
	case list:
		for _, value := range v {
			checkParam(t, value, depth+1)
		}
	default:
		t.Fatalf("a %T is no parameter", v)
	}
}

// FuzzParseQueryConflicts checks short keys over a small alphabet, where pairs
// contradict each other, against the rule written down as one flat list.
func FuzzParseQueryConflicts(f *testing.F) {
	f.Add("a[b]=1&a=2&a[c]=3")
	f.Add("a[][a]=1&a[b]=2&a[][b]=3")
	f.Add("a[]=1&a[b]=2&a[]=3&a[b][]=4")
	f.Fuzz(func(t *testing.T, noise string) {
		query := strings.Map(func(r rune) rune { return rune("ab[]=&[]"[r%8]) }, noise)
		got, err := transport.ParseQuery(query)
		if err != nil {
			return
		}
		if want := decodeByTheRule(query); !reflect.DeepEqual(got, want) {
			t.Errorf("ParseQuery(%q) = %v, want %v", query, got, want)
		}
	})
}

// rulePair is a pair with its key split into names.
type rulePair struct {
	path  []string
	value string
}

func decodeByTheRule(query string) params {
	var pairs []rulePair
	for text := range strings.SplitSeq(query, "&") {
		if text == "" {
			continue
		}
		key, value, _ := strings.Cut(text, "=")
		path := []string{key}
		name, inner, nested := strings.Cut(key, "[")
		if nested && name != "" && strings.HasSuffix(key, "]") {
			path = append([]string{name}, strings.Split(strings.TrimSuffix(inner, "]"), "][")...)
		}
		pairs = append(pairs, rulePair{path, value})
	}
	return levelByTheRule(pairs, true).(params)
}

// levelByTheRule knows one level: what lies under a name is a level of its own,
// made of all pairs that reach below the name and placed where the first of them stands.
func levelByTheRule(pairs []rulePair, root bool) any {
	named, listed, isList, seen := params{}, list{}, false, map[string]bool{}
	for _, p := range pairs {
		key, value := p.path[0], any(p.value)
		if len(p.path) > 1 {
			if seen[key] {
				continue
			}
			seen[key] = true
			value = levelByTheRule(below(pairs, key), false)
		}
		if isList = key == "" && !root; isList {
			listed = append(listed, value)
		} else {
			named[key] = value
		}
	}
	if isList {
		return listed
	}
	return named
}

func below(pairs []rulePair, key string) []rulePair {
	var in []rulePair
	for _, p := range pairs {
		if len(p.path) > 1 && p.path[0] == key {
			in = append(in, rulePair{p.path[1:], p.value})
		}
	}
	return in
}

func BenchmarkParseQuery(b *testing.B) {
	for _, query := range []string{"vsn=2.0.0", "token=abc&vsn=2.0.0&", "user%5Bid%5D=7&l%5B0%5D=x&vsn=2.0.0"} {
		b.Run(fmt.Sprintf("query=%s", query), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := transport.ParseQuery(query); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
