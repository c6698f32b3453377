package token_test

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"testing/quick"
	"time"

	"github.com/roostgo/roost/token"
)

type (
	userID string
	level  uint8

	claims struct {
		User   userID `token:"user_id"`
		Level  level
		Rooms  []string         `token:"rooms"`
		Quota  map[string]int64 `token:"quota"`
		From   *netip.Addr      `token:"from"`
		Score  float32
		Admin  bool
		Key    [4]byte
		Skip   string `token:"-"`
		hidden int
	}
)

// through returns what comes out of a token into which data went, as a T.
func through[T any](t testing.TB, data any) (got T, err error) {
	t.Helper()
	k := ring(t, token.Config{})
	err = k.Verify(kinds[0].made(t, k, data), token.AsSigned, &got)
	return got, err
}

func same[T any](t *testing.T, data any, want T) {
	t.Helper()
	if got, err := through[T](t, data); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%#v became %#v, %v; want %#v", data, got, err, want)
	}
}

func TestDataIsReadAsTheTypeThatIsAskedFor(t *testing.T) {
	addr := netip.MustParseAddr("10.0.0.7")
	same(t, true, true)
	same(t, -7, int8(-7))
	same(t, uint64(math.MaxUint64), uint64(math.MaxUint64))
	same(t, uint64(math.MaxUint64), *new(big.Int).SetUint64(math.MaxUint64))
	same(t, big.NewInt(7), 7)
	same(t, *big.NewInt(7), big.NewInt(7))
	same(t, 7, 7.0)
	same(t, 1.5, float32(1.5))
	same(t, userID("ada"), userID("ada"))
	same(t, userID("ada"), "ada")
	same(t, token.Atom("admin"), token.Atom("admin"))
	same(t, token.Atom("admin"), "admin")
	same(t, []byte("ada"), "ada")
	same(t, "ada", []byte("ada"))
	same(t, "ada!", [4]byte{'a', 'd', 'a', '!'})
	same(t, []string{"a", "b"}, []string{"a", "b"})
	same(t, []string{"a", "b"}, [2]string{"a", "b"})
	same(t, token.Tuple{1, "b"}, token.Tuple{int64(1), "b"})
	same(t, token.Tuple{1, 2}, [2]int{1, 2})
	same(t, map[userID]level{"ada": 7, "bob": 9}, map[userID]level{"ada": 7, "bob": 9})
	same(t, map[token.Atom]int{"a": 1}, map[string]int{"a": 1})
	same(t, map[int]bool{1: true, 1000: false}, map[int]bool{1: true, 1000: false})
	same(t, map[any]any{1: "a"}, map[any]any{int64(1): "a"})
	same(t, addr, addr)
	same(t, addr, "10.0.0.7")
	same(t, &addr, &addr)
	same(t, time.UnixMilli(7).UTC(), time.UnixMilli(7).UTC())
	same(t, (*int)(nil), (*int)(nil))
	same(t, []int(nil), []int(nil))
	same(t, map[string]int(nil), map[string]int(nil))
	same[any](t, nil, nil)
	same[any](t, []any{nil, 1, []int{}}, []any{nil, int64(1), []any{}})
}

func TestAStructIsAMapWithAtomKeys(t *testing.T) {
	addr := netip.MustParseAddr("10.0.0.7")
	full := claims{User: "ada", Level: 7, Rooms: []string{"lobby"}, Quota: map[string]int64{"mb": 100}, From: &addr, Score: 1.5, Admin: true, Key: [4]byte{1}}
	same(t, full, full)
	same(t, &full, full)
	same(t, map[string]any{"user_id": "ada", "Level": 0, "rooms": nil, "quota": nil, "Score": 1, "Admin": false, "Key": "\x00\x00\x00\x00", "more": 1, "Skip": "x"},
		claims{User: "ada", Score: 1})
	same(t, struct{ A, B int }{1, 2}, map[token.Atom]int{"A": 1, "B": 2})
	_ = full.hidden
}

func TestDataThatDoesNotFitIsInvalidAndChangesNothing(t *testing.T) {
	for i, c := range []struct {
		data any
		dst  any
		want string
	}{
		{300, new(int8), "a int8 cannot hold this integer"},
		{-1, new(uint), "a uint cannot hold this integer"},
		{uint64(math.MaxUint64), new(int64), "a int64 cannot hold this integer"},
		{1 << 24, new(string), "a string cannot hold this integer"},
		{int64(1<<53 + 1), new(float64), "a float64 cannot hold this integer"},
		{1.0, new(int), "a int cannot hold this float"},
		{1e300, new(float32), "a float32 cannot hold this float"},
		{"7", new(int), "a int cannot hold this binary"},
		{"true", new(bool), "a bool cannot hold this binary"},
		{"admin", new(token.Atom), "a term.Atom cannot hold this binary"},
		{"ada", new([4]byte), "a [4]uint8 cannot hold this binary"},
		{"ada", new([]string), "a []string cannot hold this binary"},
		{"10.0.0.300", new(netip.Addr), "a netip.Addr cannot hold this binary"},
		{7, new(netip.Addr), "a netip.Addr cannot hold this integer"},
		{"7", new(big.Int), "a big.Int cannot hold this binary"},
		{nil, new(string), "a string cannot hold nil"},
		{nil, new(int), "a int cannot hold nil"},
		{nil, new([1]int), "a [1]int cannot hold nil"},
		{nil, new(struct{ A int }), "cannot hold nil"},
		{true, new(string), "a string cannot hold a boolean"},
		{[]int{1, 2}, new([3]int), "a [3]int cannot hold 2 elements"},
		{[]any{1, "b"}, new([]int), "a int cannot hold this binary"},
		{[]int{1}, new(token.Tuple), "a term.Tuple cannot hold this list"},
		{token.Tuple{1}, new([]int), "a []int cannot hold this tuple"},
		{map[string]int{"a": 1}, new(int), "a int cannot hold this map"},
		{token.Atom("a"), new(map[string]int), "a map[string]int cannot hold an atom"},
		{map[string]int{"a": 1}, new(map[int]int), "a int cannot hold this binary"},
		{map[string]int{"a": 1}, new(map[string]bool), "a bool cannot hold this integer"},
		{map[int]int{1: 1}, new(any), "keys that are no text"},
		{map[any]int{"a": 1, token.Atom("a"): 2}, new(any), "as an atom and as a binary"},
		{map[any]int{"a": 1, token.Atom("a"): 2}, new(map[string]int), "cannot hold all keys"},
		{map[any]int{"A": 1, token.Atom("A"): 2}, new(struct{ A int }), "as an atom and as a binary"},
		{map[any]int{[1]int{1}: 1}, new(map[any]int), "cannot hold all keys"},
		{map[string]int{}, new(struct{ A int }), "the key A is missing"},
		{map[string]string{"A": "x"}, new(struct{ A int }), "field A: a int cannot hold this binary"},
		{[]any{map[int]int{1: 1}}, new(any), "keys that are no text"},
		{token.Tuple{map[int]int{1: 1}}, new([]any), "cannot hold this tuple"},
	} {
		k := ring(t, token.Config{})
		err := k.Verify(kinds[0].made(t, k, c.data), token.AsSigned, c.dst)
		if !errors.Is(err, token.ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d: %#v into %T: %v, want %s", i, c.data, c.dst, err, c.want)
		}
		if !reflect.ValueOf(c.dst).Elem().IsZero() {
			t.Errorf("%d: %T was changed", i, c.dst)
		}
	}
}

func TestDataThatIsNoneIsNotSigned(t *testing.T) {
	type ring struct{ Next *ring }
	r := &ring{}
	r.Next = r
	for _, c := range []struct {
		data any
		want string
	}{
		{make(chan int), "no Erlang term stands for a chan int"},
		{[]func(){nil}, "no Erlang term stands for a func()"},
		{map[string]any{"a": complex(1, 2)}, "no Erlang term stands for a complex128"},
		{map[complex64]int{1: 1}, "no Erlang term stands for a complex64"},
		{math.NaN(), "NaN"},
		{struct{ a int }{1}, "has no exported field"},
		{struct{ A chan int }{}, "field A: "},
		{struct {
			A int `token:"x"`
			B int `token:"x"`
		}{}, "a key twice"},
		{r, "does it hold itself?"},
		{token.Atom("\xff"), "not UTF-8"},
		{map[token.Atom]int{"\xff": 1}, "not UTF-8"},
		{broken{}, "broken indeed"},
	} {
		for _, kind := range kinds {
			if made, err := kind.make(kindRing(t), c.data); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%T, %s: %q, %v; want %s", c.data, kind.name, made, err, c.want)
			}
		}
	}
}

func kindRing(t testing.TB) *token.Keyring { return ring(t, token.Config{}) }

type broken struct{}

func (broken) MarshalText() ([]byte, error) { return nil, errors.New("broken indeed") }

func TestWhereDataCannotBeStoredIsTold(t *testing.T) {
	k := ring(t, token.Config{})
	made := kinds[0].made(t, k, 7)
	for _, dst := range []any{7, (*int)(nil), map[string]any{}} {
		err := k.Verify(made, token.AsSigned, dst)
		if err == nil || errors.Is(err, token.ErrInvalid) || !strings.Contains(err.Error(), "hand over a pointer") {
			t.Errorf("%T: %v", dst, err)
		}
	}
}

func TestEqualDataMakesEqualTokens(t *testing.T) {
	k := ring(t, token.Config{}).At(time.UnixMilli(7))
	data := map[any]any{}
	for i := range 50 {
		data[i] = i
		data[fmt.Sprint(i)] = i
	}
	first := kinds[0].made(t, k, data)
	for range 20 {
		if again := kinds[0].made(t, k, data); again != first {
			t.Fatalf("%s\n%s", first, again)
		}
	}
}

// property is data of many types, filled at random.
type property struct {
	Flag    bool
	Small   int8
	Large   int64
	Natural uint64
	Real    float64
	Text    string
	Bytes   []byte
	List    []int32
	Named   map[string]int
	Counted map[uint16]string
	Perhaps *string
	Inside  struct {
		Words [3]string
		More  []map[string]bool
	}
}

func TestAnyDataComesOutAsItWentIn(t *testing.T) {
	k := ring(t, token.Config{})
	check := func(want property) bool {
		made, err := k.Sign(want)
		if err != nil {
			return strings.Contains(err.Error(), "the bound is")
		}
		var got property
		err = k.Verify(made, token.AsSigned, &got)
		return err == nil && reflect.DeepEqual(got, want)
	}
	if err := quick.Check(check, &quick.Config{MaxCount: 300}); err != nil {
		t.Error(err)
	}
}

func FuzzVerify(f *testing.F) {
	for _, made := range read(f).Tokens {
		f.Add(made)
	}
	f.Add(kinds[0].made(f, ring(f, token.Config{}), 7))
	k := ring(f, token.Config{})
	genuine := read(f).keys(f, token.Config{})
	f.Fuzz(func(t *testing.T, made string) {
		var data any
		for _, kind := range kinds {
			err := kind.check(genuine, made, token.Forever, &data)
			if err == nil && !known(read(t).Tokens, made) {
				t.Errorf("%s is accepted", made)
			}
			if err := kind.check(k, made, token.Forever, &data); err == nil && kind.name == "encrypted" {
				t.Errorf("%s is accepted", made)
			}
		}
	})
}

func known(tokens map[string]string, made string) bool {
	for _, t := range tokens {
		if t == made {
			return true
		}
	}
	return false
}

// Whatever plain data a token holds, reading it into whatever type does not panic.
func FuzzStore(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	k := ring(f, token.Config{})
	f.Fuzz(func(t *testing.T, a, b uint64) {
		r := rand.New(rand.NewPCG(a, b))
		made, err := k.Sign(random(r, 4))
		if err != nil {
			t.Fatal(err)
		}
		for _, dst := range []any{new(any), new(claims), new(property), new([]any), new([3]string), new(map[string]any), new(map[any]any), new(*[]token.Tuple), new(big.Int), new(netip.Addr)} {
			if err := k.Verify(made, token.AsSigned, dst); err != nil && !errors.Is(err, token.ErrInvalid) {
				t.Errorf("%T: %v", dst, err)
			}
		}
	})
}

// random returns data with so many levels at the most.
func random(r *rand.Rand, levels int) any {
	some := []any{nil, true, 7, -1, uint64(math.MaxUint64), 1.5, "ada", "Flag", token.Atom("Inside"), []any{}, token.Tuple{}}
	if levels == 0 || r.IntN(3) == 0 {
		return some[r.IntN(len(some))]
	}
	list := make([]any, r.IntN(5))
	named := map[any]any{}
	for i := range list {
		list[i] = random(r, levels-1)
		named[[]any{i, "Flag", "Text", token.Atom("Inside"), [2]int{1, i}}[r.IntN(5)]] = list[i]
	}
	return []any{list, token.Tuple(list), named}[r.IntN(3)]
}
