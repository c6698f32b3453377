package wire_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/roostgo/roost/wire"
)

func TestTheDefaultVersionsAreThoseOfPhoenix(t *testing.T) { // [§4.2], clauses 17-20
	for vsn, want := range map[string]any{
		"1.0.0": wire.V1(), "1.0.5": wire.V1(),
		"2.0.0": wire.V2(), "2.0.1": wire.V2(), "2.0.9": wire.V2(), "2.0.0+build": wire.V2(), "2.0.1-rc.1": wire.V2(),
		"2.0.0-rc.1": wire.ErrNoVersion, "2.1.0": wire.ErrNoVersion, "1.1.0": wire.ErrNoVersion, "3.0.0": wire.ErrNoVersion, "123.1.1": wire.ErrNoVersion,
		"2.1.0-rc.1": wire.ErrNoVersion, "1.0.0-rc.1": wire.ErrNoVersion,
		"2.0": wire.ErrBadVersion, "2": wire.ErrBadVersion, "abc": wire.ErrBadVersion, "": wire.ErrBadVersion, " 2.0.0": wire.ErrBadVersion, "02.0.0": wire.ErrBadVersion,
	} {
		got, err := wire.DefaultVersions().Match(vsn)
		if refusal, refused := want.(error); refused {
			if !errors.Is(err, refusal) || got != nil {
				t.Errorf("%q: %v, %v, want %v", vsn, got, err, want)
			}
		} else if err != nil || got != want {
			t.Errorf("%q: %v, %v, want %v", vsn, got, err, want)
		}
	}
}

func TestTheFirstRuleThatMatchesWins(t *testing.T) { // clause 24
	v, err := wire.ParseVersions(
		wire.Rule{Requirement: "== 2.0.0", Serializer: wire.V1()},
		wire.Rule{Requirement: ">= 2.0.0", Serializer: wire.V2()},
		wire.Rule{Requirement: ">= 1.0.0", Serializer: wire.V1()},
	)
	if err != nil {
		t.Fatal(err)
	}
	for vsn, want := range map[string]wire.Serializer{"2.0.0": wire.V1(), "2.0.1": wire.V2(), "9.0.0": wire.V2(), "1.5.0": wire.V1()} {
		if got, err := v.Match(vsn); err != nil || got != want {
			t.Errorf("%s: %v, %v", vsn, got, err)
		}
	}
}

func TestARefusalNamesTheVersionAndTheList(t *testing.T) { // clause 23
	for vsn, want := range map[string]string{
		"3.0.0": `wire: no serializer for vsn: "3.0.0" matches none of ~> 1.0.0 (v1), ~> 2.0.0 (v2)`,
		"a\nb":  `wire: vsn is not a version: "a\nb"; a full version like 2.0.0 is needed, to match one of ~> 1.0.0 (v1), ~> 2.0.0 (v2)`,
	} {
		if _, err := wire.DefaultVersions().Match(vsn); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := wire.DefaultVersions().Match(strings.Repeat("9", 1<<20)); len(err.Error()) > 300 {
		t.Errorf("%d bytes of error", len(err.Error()))
	}
}

// incomparable is a serializer that cannot be the key of a map.
type incomparable struct {
	wire.Serializer
	_ []int
}

func TestAllThatIsWrongWithRulesIsSaidAtOnce(t *testing.T) {
	_, err := wire.ParseVersions(
		wire.Rule{Requirement: "~> 2"},
		wire.Rule{Requirement: "~> 1.0.0", Serializer: incomparable{}},
		wire.Rule{Requirement: "~> 3.0.0", Serializer: wire.V1()},
		wire.Rule{Requirement: "~> 3.0.0", Serializer: wire.V2()},
	)
	const want = `wire: rule 1 ("~> 2") is no requirement: write a comparison and a full version, like "~> 2.0.0"
wire: rule 1 ("~> 2") has no serializer
wire: rule 2 ("~> 1.0.0") has a serializer that == cannot compare: use a *wire_test.incomparable
wire: rule 4 ("~> 3.0.0") never matches: rule 3 takes the same versions`
	if err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
	if _, err := wire.ParseVersions(); err == nil {
		t.Error("no rules are accepted")
	}
}

func TestVersionsKeepTheirOwnCopyOfTheRules(t *testing.T) {
	rules := []wire.Rule{{"~> 1.0.0", wire.V1()}}
	v, err := wire.ParseVersions(rules...)
	if err != nil {
		t.Fatal(err)
	}
	rules[0].Serializer = wire.V2()
	if got, _ := v.Match("1.0.0"); got != wire.V1() {
		t.Errorf("%v", got)
	}
}
