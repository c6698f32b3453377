package floors

import (
	"fmt"
	"strings"
)

// Import is one import of one file.
type Import struct {
	From string // the importing package, below the module; "." is its root
	Path string // what is imported
	Test bool   // by a _test.go file
}

// Fault says what is wrong with an import and how to mend it; "" is nothing.
func (i Import) Fault() string {
	from, ok := homeOf(i.From)
	if !ok {
		return fmt.Sprintf("package %s has no floor: give it one in internal/floors/house.go", i.From)
	}
	to, ours := relative(i.Path)
	switch {
	case ours:
		return i.inside(from, to)
	case strings.Contains(strings.SplitN(i.Path, "/", 2)[0], "."):
		return i.outside()
	}
	return "" // the standard library
}

// inside judges an import of one of Roost's own packages.
func (i Import) inside(from home, to string) string {
	dest, ok := homeOf(to)
	switch {
	case !ok:
		return fmt.Sprintf("package %s, which %s imports, has no floor: give it one in internal/floors/house.go", to, i.From)
	case to == i.From, strings.HasPrefix(to, i.From+"/internal/"), i.Test && dest.forTests, from.neighbours && dest == from:
		return ""
	case from.publicOnly && !i.Test && (to == "internal" || strings.HasPrefix(to, "internal/")):
		return fmt.Sprintf("%s imports %s, which users cannot: export what it needs from a public package", i.From, to)
	case i.Test && dest.floor == from.floor: // a test tries neighbours together
		return ""
	case dest.floor >= from.floor:
		return fmt.Sprintf("%s (floor %d) imports %s (floor %d): a package imports lower floors only. "+
			"Move what both need to a lower floor, or let %s ask for a small interface that %s satisfies",
			i.From, from.floor, to, dest.floor, i.From, to)
	}
	return ""
}

// outside judges an import of somebody else's package.
func (i Import) outside() string {
	for _, o := range outside {
		if i.Path != o.module && !strings.HasPrefix(i.Path, o.module+"/") {
			continue
		}
		if o.tests && !i.Test {
			return fmt.Sprintf("%s imports %s, which is for tests only", i.From, o.module)
		}
		if o.path == "" || o.path == i.From {
			return ""
		}
	}
	return fmt.Sprintf("%s imports %s: the core links as little as it can. Write the little that is needed, "+
		"or put what needs it in a package of its own and argue for it in internal/floors/house.go", i.From, i.Path)
}
