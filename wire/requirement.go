package wire

import "strings"

// requirement is a list of comparisons that a version passes or not.
//
// As in the original, "and" and "or" bind equally and group from the right:
// "a and b or c" is "a and (b or c)". [§4.2]
type requirement []comparison

// comparison is one term and what joins it to the rest: "and", "or", or "" at the
// end.
type comparison struct {
	operator string
	version  version
	short    bool // the version has no patch, which only ~> allows: "~> 2.0"
	joint    string
}

// operators are the comparisons of the language, each before any prefix of it.
var operators = []string{"==", "!=", ">=", "<=", "~>", ">", "<"}

// parseRequirement reads terms such as "~> 2.0.0" joined by "and" or "or". A
// version without an operator means ==.
func parseRequirement(text string) (r requirement, ok bool) {
	words := strings.Fields(text)
	for {
		var c comparison
		if c, words, ok = parseComparison(words); !ok {
			return nil, false
		}
		if len(words) > 0 {
			c.joint, words = words[0], words[1:]
			if c.joint != "and" && c.joint != "or" {
				return nil, false
			}
		}
		r = append(r, c)
		if c.joint == "" {
			return r, true
		}
	}
}

// parseComparison reads an operator and a version, with or without a blank
// between them, and returns the words that are left.
func parseComparison(words []string) (c comparison, rest []string, ok bool) {
	if len(words) == 0 {
		return c, nil, false
	}
	word, rest := words[0], words[1:]
	c.operator = "=="
	for _, o := range operators {
		after, found := strings.CutPrefix(word, o)
		if !found {
			continue
		}
		c.operator, word = o, after
		if word == "" && len(rest) > 0 {
			word, rest = rest[0], rest[1:]
		}
		break
	}
	if c.version, ok = parseVersion(word); !ok && c.operator == "~>" {
		c.short = true
		c.version, ok = parseShort(word)
	}
	return c, rest, ok
}

// parseShort reads MAJOR.MINOR[-pre][+build] as the version with patch 0.
func parseShort(word string) (version, bool) {
	end := strings.IndexAny(word, "-+")
	if end < 0 {
		end = len(word)
	}
	return parseVersion(word[:end] + ".0" + word[end:])
}

// matches says whether v passes.
func (r requirement) matches(v version) bool {
	for _, c := range r {
		passed := c.matches(v)
		if c.joint == "" || passed == (c.joint == "or") {
			return passed
		}
	}
	return false
}

func (c comparison) matches(v version) bool {
	order := v.compare(c.version)
	switch c.operator {
	case "==":
		return order == 0
	case "!=":
		return order != 0
	case ">":
		return order > 0
	case ">=":
		return order >= 0
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	}
	// ~>: at least the version, and equal to it but for the last number given.
	return order >= 0 && v.major == c.version.major && (c.short || v.minor == c.version.minor)
}
