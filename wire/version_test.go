package wire

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// semantic is the pattern that semver.org recommends, with the groups left out.
var semantic = regexp.MustCompile(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)` +
	`(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?` +
	`(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$`)

var vsns = []string{
	"1.0.0", "2.0.0", "0.0.0", "10.20.30", "2.0.0-rc.1", "2.0.0+build", "2.0.0-rc.1+build.007", "2.0.0+a-b", "1.0.0--", "1.0.0-0", "1.0.0-0a", "1.0.0-a.0.b",
	"123456789012345678901234567890.0.0",
	"", " ", ".", "..", "2", "2.0", "2.0.", "2..0", ".0.0", "2.0.0.0", "abc", " 2.0.0", "2.0.0 ", "02.0.0", "2.00.0", "2.0.00", "v2.0.0", "-2.0.0", "+2.0.0", "2.0.0-", "2.0.0+",
	"2.0.0-rc..1", "2.0.0-01", "2.0.0-a.01", "2.0.0+a..b", "2.0.0+a+b", "2.0.0-ü", "2.0.0+ü", "2.0.0-a_b", "٢.0.0", "2.0.0\n", "2.0.x", "~> 2.0.0", "2,0,0",
}

func TestVersionsAreSemantic(t *testing.T) {
	for _, vsn := range vsns {
		if _, ok := parseVersion(vsn); ok != semantic.MatchString(vsn) {
			t.Errorf("%q: %t", vsn, ok)
		}
	}
}

// ascending are versions in their order of precedence.
var ascending = []string{
	"0.0.0-0", "0.0.0", "0.9.9", "1.0.0--", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
	"1.0.0-rc.1", "1.0.0", "1.0.1-rc", "1.0.1", "1.2.0", "1.10.0", "2.0.0", "9.0.0", "10.0.0", "99999999999999999999.0.0", "100000000000000000000.0.0",
}

func TestVersionsComeInTheOrderOfTheirPrecedence(t *testing.T) {
	for i, a := range ascending {
		for j, b := range ascending {
			v, _ := parseVersion(a)
			w, _ := parseVersion(b + "+build")
			if got, want := sign(v.compare(w)), sign(i-j); got != want {
				t.Errorf("%s against %s: %d, want %d", a, b, got, want)
			}
		}
	}
}

func sign(n int) int { return min(max(n, -1), 1) }

func FuzzVersion(f *testing.F) {
	for _, vsn := range slices.Concat(vsns, ascending) {
		f.Add(vsn, "1.0.0-alpha.1")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		v, ok := parseVersion(a)
		if ok != semantic.MatchString(a) {
			t.Fatalf("%q: %t", a, ok)
		}
		w, also := parseVersion(b)
		if !ok || !also {
			return
		}
		if v.compare(v) != 0 || sign(v.compare(w)) != -sign(w.compare(v)) {
			t.Errorf("%q and %q: %d and %d", a, b, v.compare(w), w.compare(v))
		}
		if bare, _, _ := strings.Cut(a, "+"); v.compare(w) == 0 && !strings.HasPrefix(b, bare) {
			t.Errorf("%q equals %q", a, b)
		}
	})
}
