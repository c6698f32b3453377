package wire

import (
	"slices"
	"strings"
	"testing"
)

func TestRequirementsChooseVersions(t *testing.T) {
	for _, c := range []struct{ requirement, yes, no string }{
		{"== 2.0.0", "2.0.0 2.0.0+build", "2.0.1 2.0.0-rc.1"},
		{"== 2.0.0+other", "2.0.0 2.0.0+build", "2.0.1"},
		{"2.0.0", "2.0.0", "2.0.1"},
		{"!= 2.0.0", "2.0.1 2.0.0-rc.1", "2.0.0 2.0.0+build"},
		{"> 2.0.0", "2.0.1 2.0.1-rc.1 10.0.0", "2.0.0 2.0.0-rc.1 1.9.9"},
		{">= 2.0.0", "2.0.0 3.0.0", "2.0.0-rc.1 1.0.0"},
		{"< 2.0.0", "1.9.9 2.0.0-rc.1", "2.0.0 2.0.1"},
		{"<= 2.0.0", "2.0.0 2.0.0-rc.1 0.0.0", "2.0.1-rc.1 2.0.1"},
		{"~> 2.0.0", "2.0.0 2.0.1 2.0.99 2.0.1-rc.1 2.0.0+build", "2.0.0-rc.1 2.1.0 2.1.0-rc.1 1.9.9 3.0.0 20.0.0"},
		{"~> 2.0.3", "2.0.3 2.0.4", "2.0.2 2.1.0"},
		{"~> 2.0.0-rc.1", "2.0.0-rc.1 2.0.0-rc.2 2.0.0 2.0.1", "2.0.0-beta 2.1.0"},
		{"~> 2.1", "2.1.0 2.9.9 2.2.0-rc.1", "2.0.9 2.1.0-rc.1 3.0.0 3.0.0-rc.1"},
		{"~> 2.1-rc", "2.1.0-rc 2.1.0 2.9.0", "2.1.0-alpha 3.0.0"},
		{">= 1.0.0 and < 2.0.0", "1.0.0 1.9.9 2.0.0-rc.1", "0.9.0 2.0.0"},
		{"== 1.0.0 or == 3.0.0", "1.0.0 3.0.0", "2.0.0"},
		{"~> 1.0.0 or ~> 2.0.0 or ~> 3.0.0", "1.0.1 2.0.1 3.0.1", "4.0.0 1.1.0"},
		{">= 1.0.0 and != 1.5.0 and < 2.0.0", "1.4.0", "1.5.0 2.1.0 0.1.0"},
		{"== 9.0.0 and < 2.0.0 or ~> 3.0.0", "", "3.0.0 1.0.0 9.0.0"}, // from the right
		{"== 9.0.0 or >= 1.0.0 and < 2.0.0", "9.0.0 1.5.0", "2.0.0"},
		{"~>2.0.0", "2.0.5", "2.1.0"},
		{"  >=1.0.0   and\t<2.0.0 ", "1.0.0", "2.0.0"},
	} {
		r, ok := parseRequirement(c.requirement)
		if !ok {
			t.Errorf("%q is no requirement", c.requirement)
			continue
		}
		for _, vsn := range slices.Concat(strings.Fields(c.yes), strings.Fields(c.no)) {
			v, _ := parseVersion(vsn)
			if got, want := r.matches(v), slices.Contains(strings.Fields(c.yes), vsn); got != want {
				t.Errorf("%q with %s: %t", c.requirement, vsn, got)
			}
		}
	}
}

var noRequirements = []string{
	"", " ", "~>", "~> ", "and", "2", "2.0", "== 2.0", ">= 2", "~> 2", "~> a.b.c", "=> 2.0.0", "= 2.0.0", "=== 2.0.0", "! 2.0.0", "^ 2.0.0", "2.0.0 2.0.1", "== 2.0.0 == 2.0.1",
	"== 2.0.0 and", "or == 2.0.0", "== 2.0.0 and and == 2.0.1", "== 2.0.0 && == 2.0.1", "== 2.0.0 AND == 2.0.1", "(== 2.0.0)", "== == 2.0.0", "~> 2.0.0,", "~> 02.0.0", "~> 2.0.0.0", "~> -1.0",
}

func TestWhatIsNoRequirementIsRefused(t *testing.T) {
	for _, text := range noRequirements {
		if r, ok := parseRequirement(text); ok {
			t.Errorf("%q was read as %+v", text, r)
		}
	}
}

func FuzzRequirement(f *testing.F) {
	for _, text := range append(noRequirements, "~> 2.0.0", ">= 1.0.0 and != 1.5.0 or ~> 2.1-rc", "2.0.0+build", "<1.0.0") {
		f.Add(text, "2.0.0")
	}
	f.Fuzz(func(t *testing.T, text, vsn string) {
		r, ok := parseRequirement(text)
		v, valid := parseVersion(vsn)
		if !ok || !valid {
			return
		}
		passed := r.matches(v)
		for _, c := range []struct {
			joined string
			want   bool
		}{
			{"0.0.0-0 and " + text, passed && v.compare(version{"0", "0", "0", "0"}) == 0},
			{"!= " + vsn + " or " + text, passed},
			{"== " + vsn + " and " + text, passed},
			{"== " + vsn + " or " + text, true},
			{"!= " + vsn + " and " + text, false},
		} {
			r, ok := parseRequirement(c.joined)
			if !ok || r.matches(v) != c.want {
				t.Errorf("%q with %q: %t, want %t", c.joined, vsn, !c.want, c.want)
			}
		}
	})
}
