package transport_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
	"unsafe"

	"github.com/roostgo/roost/transport"
)

func mustPath(t testing.TB, base, tail string) transport.Path {
	t.Helper()
	p, err := transport.ParsePath(base, tail)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAPathMatchesWhatItWasMountedOn(t *testing.T) {
	type vars = []transport.Var
	tests := []struct {
		name, base, tail, path string
		want                   vars
		ok                     bool
	}{
		{"clause 1: base and transport", "/socket", "/websocket", "/socket/websocket", nil, true},
		{"clause 1: the base alone", "/socket", "/websocket", "/socket", nil, false},
		{"clause 1: slashes at both ends of both", "/socket/", "websocket/", "/socket/websocket", nil, true},
		{"clause 1: more than the path", "/socket", "/websocket", "/socket/websocket/x", nil, false},
		{"clause 1: another case", "/socket", "/websocket", "/Socket/websocket", nil, false},
		{"clause 1: a prefix of a segment", "/socket", "/websocket", "/socket/websockets", nil, false},
		{"clause 1: the slash left out", "/socket", "/websocket", "/socketwebsocket", nil, false},
		{"clause 2: the other transport", "/socket", "/longpoll", "/socket/websocket", nil, false},
		{"clause 3: a trailing slash", "/socket", "/websocket", "/socket/websocket/", nil, true},
		{"clause 3: doubled slashes", "/socket", "/websocket", "//socket//websocket", nil, true},
		{"clause 3: no leading slash", "/socket", "/websocket", "socket/websocket", nil, true},
		{"clause 4: another transport path", "/socket", "/live/ws", "/socket/live/ws", nil, true},
		{"clause 4: it replaces the default", "/socket", "/live/ws", "/socket/websocket", nil, false},
		{"clause 4: an empty transport path", "/socket", "/", "/socket", nil, true},
		{"clause 4: an empty transport path serves nothing below", "/socket", "", "/socket/websocket", nil, false},
		{"clause 5: variables in both parts", "/ws/:user_id", "project/:project_id", "/ws/7/project/9",
			vars{{"user_id", "7"}, {"project_id", "9"}}, true},
		{"clause 5: a variable takes one segment", "/ws/:id", "/x", "/ws/7/8/x", nil, false},
		{"clause 5: a variable takes no empty segment", "/ws/:id", "/x", "/ws//x", nil, false},
		{"clause 5: a decoded value", "/ws/:id", "/x", "/ws/a b+%41é/x", vars{{"id", "a b+%41é"}}, true},
		{"clause 5: a value with a NUL byte", "/ws/:id", "/x", "/ws/\x00/x", vars{{"id", "\x00"}}, true},
		{"clause 5: a value that is not UTF-8", "/ws/:id", "/x", "/ws/\xff/x", nil, false},
		{"clause 5: a value that looks like a variable", "/ws/:id", "/x", "/ws/:id/x", vars{{"id", ":id"}}, true},
		{"clause 7: a hidden variable", "/ws/:_tenant/:id", "/x", "/ws/acme/7/x", vars{{"id", "7"}}, true},
		{"clause 7: only a hidden variable", "/ws/:_tenant", "/x", "/ws/acme/x", nil, true},
		{"clause 7: a hidden variable twice", "/:_", "/:_", "/a/b", nil, true},
		{"the root", "", "", "/", nil, true},
		{"the root and nothing below", "/", "/", "/x", nil, false},
		{"a NUL byte in a literal", "/socket", "/websocket", "/socket\x00/websocket", nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := mustPath(t, tt.base, tt.tail).Match(tt.path)
			if ok != tt.ok || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("Match(%q) = %v, %v; want %v, %v", tt.path, got, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestAPathThatCannotBeMatchedIsRefused(t *testing.T) {
	for _, segment := range []string{":", ":1st", ":user-id", ":a:b", "user:id", "*", "*rest", ":é", ":a b"} {
		t.Run(segment, func(t *testing.T) {
			_, err := transport.ParsePath("/socket", segment)
			if !errors.Is(err, transport.ErrBadPath) || !strings.Contains(err.Error(), segment) {
				t.Errorf("ParsePath: %v; want ErrBadPath naming %q", err, segment)
			}
		})
	}
	t.Run("a variable twice", func(t *testing.T) {
		if _, err := transport.ParsePath("/ws/:id", "/:id"); !errors.Is(err, transport.ErrBadPath) {
			t.Errorf("ParsePath: %v; want ErrBadPath", err)
		}
	})
	t.Run("every bad segment is named", func(t *testing.T) {
		_, err := transport.ParsePath("/*a/:1", "/b:c")
		for _, segment := range []string{`"*a"`, `":1"`, `"b:c"`} {
			if err == nil || !strings.Contains(err.Error(), segment) {
				t.Errorf("%v does not name %s", err, segment)
			}
		}
	})
}

func TestAPathPrintsInItsShortestForm(t *testing.T) {
	if got := mustPath(t, "//socket/:id/", "/websocket/").String(); got != "/socket/:id/websocket" {
		t.Errorf("String() = %q", got)
	}
	if got := (transport.Path{}).String(); got != "/" {
		t.Errorf("the zero path prints as %q", got)
	}
	if _, ok := (transport.Path{}).Match("/"); !ok {
		t.Error("the zero path does not match /")
	}
}

func TestMatchingAPathWithoutVariablesDoesNotAllocate(t *testing.T) {
	p, hidden := mustPath(t, "/socket", "/websocket"), mustPath(t, "/:_tenant", "/websocket")
	if n := testing.AllocsPerRun(100, func() {
		p.Match("/socket//websocket/")
		p.Match("/socket/other")
		hidden.Match("/acme/websocket")
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzPath(f *testing.F) {
	f.Add("/socket", "/websocket", "/socket//websocket/")
	f.Add("/ws/:user_id", "project/:_p", "/ws/7/project/9")
	f.Add("/", "", "//")
	f.Add("/:a", ":a", "/1/2")
	f.Add("/:\x00", "*", "/\xff")
	f.Fuzz(func(t *testing.T, base, tail, urlPath string) {
		p, err := transport.ParsePath(base, tail)
		if err != nil {
			if !errors.Is(err, transport.ErrBadPath) {
				t.Fatalf("ParsePath(%q, %q): %v", base, tail, err)
			}
			return
		}
		again := mustPath(t, p.String(), "")
		if again.String() != p.String() {
			t.Fatalf("%q reads back as %q", p, again)
		}
		checkMatch(t, p, urlPath)
	})
}

// checkMatch compares Match with the pattern laid beside the path, segment by segment.
func checkMatch(t *testing.T, p transport.Path, urlPath string) {
	t.Helper()
	empty := func(s string) bool { return s == "" }
	pattern := slices.DeleteFunc(strings.Split(p.String(), "/"), empty)
	path := slices.DeleteFunc(strings.Split(urlPath, "/"), empty)
	want, wantOK := []transport.Var(nil), len(pattern) == len(path)
	for i := 0; wantOK && i < len(path); i++ {
		name, variable := strings.CutPrefix(pattern[i], ":")
		wantOK = variable && utf8.ValidString(path[i]) || pattern[i] == path[i]
		if variable && name[0] != '_' {
			want = append(want, transport.Var{Name: name, Value: path[i]})
		}
	}
	if !wantOK {
		want = nil
	}
	got, ok := p.Match(urlPath)
	if ok != wantOK || !slices.Equal(got, want) {
		t.Fatalf("%q matches %q: %v, %v; want %v, %v", p, urlPath, got, ok, want, wantOK)
	}
}

func BenchmarkPathMatch(b *testing.B) {
	for _, base := range []string{"/socket", "/socket/:id"} {
		b.Run("base="+base, func(b *testing.B) {
			p, path := mustPath(b, base, "/websocket"), strings.ReplaceAll(base, ":id", "7")+"/websocket"
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := p.Match(path); !ok {
					b.Fatal("no match")
				}
			}
		})
	}
}

func TestAPathVariableKeepsNoRequestAlive(t *testing.T) {
	p, err := transport.ParsePath("/socket/:user", "websocket")
	if err != nil {
		t.Fatal(err)
	}
	path := "/socket/7/websocket"
	vars, ok := p.Match(path)
	if !ok || len(vars) != 1 || vars[0].Value != "7" {
		t.Fatalf("got %v", vars)
	}
	if unsafe.StringData(vars[0].Value) == unsafe.StringData(path[len("/socket/"):]) {
		t.Error("one byte keeps the request line")
	}
}
