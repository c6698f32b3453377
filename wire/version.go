package wire

import (
	"cmp"
	"strings"
)

// version is a semantic version without its build, which plays no part in
// comparisons. Its numbers are kept as text, so that none is too large.
// https://semver.org/spec/v2.0.0.html
type version struct {
	major, minor, patch string
	pre                 string // "rc.1", or "" for a release
}

// parseVersion reads MAJOR.MINOR.PATCH[-pre][+build]. [§4.2]
func parseVersion(text string) (v version, ok bool) {
	text, build, built := strings.Cut(text, "+")
	if built && !identifiers(build, isIdentifier) {
		return v, false
	}
	text, pre, early := strings.Cut(text, "-")
	if early && !identifiers(pre, isPre) {
		return v, false
	}
	var more bool
	v.pre = pre
	v.major, text, _ = strings.Cut(text, ".")
	v.minor, v.patch, more = strings.Cut(text, ".")
	return v, more && isNumber(v.major) && isNumber(v.minor) && isNumber(v.patch)
}

// identifiers says whether text is a dot-separated list of what is allowed.
func identifiers(text string, allowed func(string) bool) bool {
	for id := range strings.SplitSeq(text, ".") {
		if !allowed(id) {
			return false
		}
	}
	return true
}

// isNumber says whether s is a decimal number without leading zeros.
func isNumber(s string) bool {
	return isDigits(s) && (s[0] != '0' || s == "0")
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// isIdentifier says whether s is an identifier of a build.
func isIdentifier(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c != '-' && c-'0' > 9 && c|0x20-'a' > 'z'-'a' {
			return false
		}
	}
	return s != ""
}

// isPre says whether s is an identifier of a pre-release: a number in it has no
// leading zeros.
func isPre(s string) bool {
	return isIdentifier(s) && (!isDigits(s) || isNumber(s))
}

// compare orders versions by precedence: negative when v comes before w.
func (v version) compare(w version) int {
	return cmp.Or(
		compareNumbers(v.major, w.major),
		compareNumbers(v.minor, w.minor),
		compareNumbers(v.patch, w.patch),
		comparePre(v.pre, w.pre),
	)
}

func compareNumbers(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

// comparePre orders pre-releases; a release ("") comes after all of its own.
func comparePre(a, b string) int {
	switch {
	case a == b:
		return 0
	case a == "":
		return 1
	case b == "":
		return -1
	}
	for a != "" && b != "" {
		var x, y string
		x, a, _ = strings.Cut(a, ".")
		y, b, _ = strings.Cut(b, ".")
		if c := compareIdentifiers(x, y); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b)) // the longer list comes later
}

// compareIdentifiers orders two identifiers: numbers before words.
func compareIdentifiers(a, b string) int {
	switch x, y := isDigits(a), isDigits(b); {
	case x && y:
		return compareNumbers(a, b)
	case x:
		return -1
	case y:
		return 1
	}
	return strings.Compare(a, b)
}
