package wire

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Why [Versions.Match] refuses a client; the transport answers 403. [§4.2]
var (
	ErrBadVersion = errors.New("wire: vsn is not a version")
	ErrNoVersion  = errors.New("wire: no serializer for vsn")
)

// Rule gives clients of some versions their serializer.
type Rule struct {
	// Requirement is what the client's vsn must meet: a comparison (==, !=, >, >=,
	// <, <=, ~>) with a version, or several joined by "and" and "or". "~> 2.0.0"
	// means 2.0.x from 2.0.0 on.
	Requirement string

	Serializer Serializer
}

// Versions chooses a serializer by the client's vsn. Immutable.
type Versions struct {
	rules        []Rule
	requirements []requirement
}

// ParseVersions returns the rules, of which the first that matches will win
// (clause 24). The error names all that is wrong with them.
func ParseVersions(rules ...Rule) (*Versions, error) {
	if len(rules) == 0 {
		return nil, errors.New("wire: no rules: give at least one, or take DefaultVersions")
	}
	v := &Versions{rules: slices.Clone(rules)}
	var errs []error
	for i, rule := range rules {
		r, _ := parseRequirement(rule.Requirement)
		v.requirements = append(v.requirements, r)
		for _, fault := range rule.faults(rules[:i]) {
			errs = append(errs, fmt.Errorf("wire: rule %d (%q) %s", i+1, rule.Requirement, fault))
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return v, nil
}

// faults returns what is wrong with a rule that comes after the others.
func (r Rule) faults(others []Rule) (faults []string) {
	if _, ok := parseRequirement(r.Requirement); !ok {
		faults = append(faults, "is no requirement: write a comparison and a full version, like \"~> 2.0.0\"")
	}
	if r.Serializer == nil {
		faults = append(faults, "has no serializer")
	} else if !reflect.ValueOf(r.Serializer).Comparable() {
		faults = append(faults, fmt.Sprintf("has a serializer that == cannot compare: use a *%T", r.Serializer))
	}
	for i, other := range others {
		if other.Requirement == r.Requirement {
			return append(faults, fmt.Sprintf("never matches: rule %d takes the same versions", i+1))
		}
	}
	return faults
}

var defaults = mustParse(Rule{"~> 1.0.0", V1()}, Rule{"~> 2.0.0", V2()})

// DefaultVersions returns V1 for ~> 1.0.0 and V2 for ~> 2.0.0. [§3.3]
func DefaultVersions() *Versions { return defaults }

func mustParse(rules ...Rule) *Versions {
	v, err := ParseVersions(rules...)
	if err != nil {
		panic(err)
	}
	return v
}

// Match returns the serializer of the first rule that vsn meets. A client that
// sent no vsn counts as "1.0.0" (clause 17), which is the caller's to say. The
// errors are [ErrBadVersion] and [ErrNoVersion], with vsn and the rules in their
// text.
func (v *Versions) Match(vsn string) (Serializer, error) {
	parsed, ok := parseVersion(vsn)
	if !ok {
		return nil, fmt.Errorf("%w: %s; a full version like 2.0.0 is needed, to match one of %s", ErrBadVersion, quoted(vsn), v)
	}
	for i, r := range v.requirements {
		if r.matches(parsed) {
			return v.rules[i].Serializer, nil
		}
	}
	return nil, fmt.Errorf("%w: %s matches none of %s", ErrNoVersion, quoted(vsn), v)
}

// String lists the rules: `~> 1.0.0 (v1), ~> 2.0.0 (v2)`.
func (v *Versions) String() string {
	var b strings.Builder
	for i, r := range v.rules {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s (%s)", r.Requirement, r.Serializer.Name())
	}
	return b.String()
}

// quoted returns a client's vsn for a message, which must not grow with it.
func quoted(vsn string) string {
	const most = 64
	if len(vsn) > most {
		return fmt.Sprintf("%.64q...", vsn)
	}
	return fmt.Sprintf("%q", vsn)
}
