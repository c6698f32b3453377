package ratelimit_test

import (
	"encoding"
	"errors"
	"flag"
	"io"
	"strings"
	"testing"

	"github.com/roostgo/roost/ratelimit"
)

var (
	_ encoding.TextMarshaler   = ratelimit.Limit{}
	_ encoding.TextUnmarshaler = (*ratelimit.Limit)(nil)
)

func TestTextsAreReadAsLimits(t *testing.T) {
	for _, c := range []struct {
		text  string
		want  ratelimit.Limit
		again string // what String writes
	}{
		{"off", ratelimit.Limit{}, "off"},
		{"100/s", ratelimit.Limit{Rate: 100, Burst: 100}, "100/s"},
		{"5/m burst 20", ratelimit.Limit{Rate: 5.0 / 60, Burst: 20}, "5/m burst 20"},
		{"5/m", ratelimit.Limit{Rate: 5.0 / 60, Burst: 5}, "5/m"},
		{"300/m", ratelimit.Limit{Rate: 5, Burst: 300}, "5/s burst 300"},
		{"1000/h burst 50 shadow", ratelimit.Limit{Rate: 1000.0 / 3600, Burst: 50, Shadow: true}, "1000/h burst 50 shadow"},
		{"7/d shadow", ratelimit.Limit{Rate: 7.0 / 86400, Burst: 7, Shadow: true}, "7/d shadow"},
		{"0.5/s", ratelimit.Limit{Rate: 0.5, Burst: 1}, "30/m burst 1"},
		{"2.5/m", ratelimit.Limit{Rate: 2.5 / 60, Burst: 3}, "150/h burst 3"},
		{"0.123456/s", ratelimit.Limit{Rate: 0.123456, Burst: 1}, "0.123456/s"},
		{"  10/s\tburst  3  ", ratelimit.Limit{Rate: 10, Burst: 3}, "10/s burst 3"},
		{"1000000000000/s", ratelimit.Limit{Rate: 1e12, Burst: 1<<31 - 1}, "1000000000000/s"},
	} {
		got, err := ratelimit.ParseLimit(c.text)
		if err != nil || got != c.want {
			t.Errorf("%q: got %+v, %v, want %+v", c.text, got, err, c.want)
		}
		if s := got.String(); s != c.again {
			t.Errorf("%q: String writes %q, want %q", c.text, s, c.again)
		}
	}
}

func TestTextsThatAreNoLimitsSayHowToWriteOne(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "the text is empty: write a rate such as"},
		{" ", "the text is empty"},
		{"100", "does not say per what time"},
		{"/s", `"" is not a number`},
		{"x/s", `"x" is not a number`},
		{"-1/s", `"-1" is not a number`},
		{"1e6/s", `"1e6" is not a number`},
		{"0x10/s", `"0x10" is not a number`},
		{"1_000/s", `"1_000" is not a number`},
		{"inf/s", `"inf" is not a number`},
		{"NaN/s", `"NaN" is not a number`},
		{strings.Repeat("9", 400) + "/s", "is not a number"},
		{"0/s", `write "off" for no limit`},
		{"5/", "use s, m, h or d"},
		{"5/min", `"min" is no unit of time`},
		{"5/m burst", `as in "burst 20"`},
		{"5/m burst many", `"many" is not a burst`},
		{"5/m burst 0", `"0" is not a burst`},
		{"5/m burst -3", `"-3" is not a burst`},
		{"5/m burst 2147483648", "from 1 to 2147483647"},
		{"5/m burst 3 4", `"4" is not understood`},
		{"5/m shadow burst 3", `"burst" is not understood`},
		{"off shadow", `"off" does not say`},
		{"2000000000000/s", "impossible limit"},
		{"1/d burst 1000000", "more than ten years"},
	} {
		got, err := ratelimit.ParseLimit(c.text)
		if got != (ratelimit.Limit{}) || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %+v, %v, want an error with %q", c.text, got, err, c.want)
		}
		if !errors.Is(err, ratelimit.ErrText) && !errors.Is(err, ratelimit.ErrImpossible) {
			t.Errorf("%q: %v wraps neither error", c.text, err)
		}
	}
}

func TestALimitOfCodeIsWrittenWithTheBurstThatItHas(t *testing.T) {
	for want, l := range map[string]ratelimit.Limit{
		"100/s":        {Rate: 100},
		"5/m burst 1":  {Rate: 5.0 / 60},
		"100/s shadow": {Rate: 100, Shadow: true},
	} {
		if got := l.String(); got != want {
			t.Errorf("%+v is %q, want %q", l, got, want)
		}
	}
}

func TestALimitIsAFlag(t *testing.T) {
	var l ratelimit.Limit
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.TextVar(&l, "joins", ratelimit.Limit{Rate: 10, Burst: 20}, "")
	if d := flags.Lookup("joins").DefValue; d != "10/s burst 20" {
		t.Errorf("the default is shown as %q", d)
	}
	if err := flags.Parse([]string{"-joins", "3/m"}); err != nil || l != (ratelimit.Limit{Rate: 3.0 / 60, Burst: 3}) {
		t.Errorf("got %+v, %v", l, err)
	}
	if err := flags.Parse([]string{"-joins", "often"}); err == nil || l != (ratelimit.Limit{Rate: 3.0 / 60, Burst: 3}) {
		t.Errorf("a bad flag left %+v, %v", l, err)
	}
}

// FuzzParseLimit checks that what is read is possible, and that what is written is read as the same.
func FuzzParseLimit(f *testing.F) {
	for _, text := range []string{"off", "100/s", "5/m burst 20", "0.5/s shadow", "1000/h burst 50 shadow", "2.5/d", "1e6/s", "/", "5/m burst"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := ratelimit.ParseLimit(text)
		if err != nil {
			if l != (ratelimit.Limit{}) || !errors.Is(err, ratelimit.ErrText) && !errors.Is(err, ratelimit.ErrImpossible) {
				t.Fatalf("%q: %+v, %v", text, l, err)
			}
			return
		}
		if err := l.Validate(); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		again, err := ratelimit.ParseLimit(l.String())
		if err != nil || again != l {
			t.Fatalf("%q is %+v; its text %q is %+v, %v", text, l, l, again, err)
		}
	})
}
