package roost

import (
	"strings"
	"testing"
)

func FuzzAPatternThatCoversAnotherMatchesAllThatItMatches(f *testing.F) {
	f.Add("typing*", "typ", "typing_start")
	f.Add("*", "a*", "ab")
	f.Add("a", "a", "a")
	f.Fuzz(func(t *testing.T, p, other, event string) {
		for _, s := range []string{p, other} {
			if (EventLimit{Event: s}).possible(nil, "") != nil {
				return // nobody can have such a pattern
			}
		}
		a, b := eventPattern(p), eventPattern(other)
		if a.covers(other) && b.matches(event) && !a.matches(event) {
			t.Errorf("%q covers %q, which matches %q, and does not match it", p, other, event)
		}
		if !strings.HasSuffix(other, "*") && a.covers(other) != a.matches(other) { // a name is all that it matches
			t.Errorf("%q covers the name %q: %v, matches it: %v", p, other, a.covers(other), a.matches(other))
		}
	})
}
