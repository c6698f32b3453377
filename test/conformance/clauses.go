// Package conformance is the protocol's checklist: what each clause is about, and whether it holds.
//
// Its tests are the clauses, by number. docs/reference/conformance.md is generated from their results.
package conformance

import (
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

//go:generate go run ./table

//go:embed clauses.tsv
var list string

// Total is how many clauses the checklist has.
const Total = 297

// Group is a letter of the checklist.
type Group struct {
	Title   string // "A Mounting and options"
	Clauses []Clause
}

// Clause is one statement about the server.
type Clause struct {
	Number  int
	Wording string
	Status  Status
	Why     string // what NotYet waits for, why it is a Deviation, where it is tested Elsewhere
}

// Status is what is known of a clause besides its test.
type Status string

// The statuses.
const (
	Holds           Status = ""                 // a test in this package shows it
	NotYet          Status = "not yet"          // it waits for something that is not built
	Deviation       Status = "deviation"        // deliberately otherwise, in a way that no test can show
	DeviationTested Status = "deviation tested" // deliberately otherwise, as a test in this package shows
	Elsewhere       Status = "elsewhere"        // real clients show it
)

// tested reports whether the status wants a test in this package.
func (s Status) tested() bool { return s == Holds || s == DeviationTested }

// Groups reads clauses.tsv. The error names every line that is wrong.
func Groups() ([]Group, error) {
	var groups []Group
	var errs []error
	next := 1
	for line := range strings.Lines(list) {
		line = strings.TrimSuffix(line, "\n")
		if title, ok := strings.CutPrefix(line, "## "); ok {
			groups = append(groups, Group{Title: title})
			continue
		}
		c, err := parseClause(line)
		if err == nil && c.Number != next {
			err = fmt.Errorf("clause %d stands where %d should", c.Number, next)
		}
		next++
		errs = append(errs, err)
		g := &groups[len(groups)-1] // the first line is a title
		g.Clauses = append(g.Clauses, c)
	}
	if next-1 != Total {
		errs = append(errs, fmt.Errorf("there are %d clauses, not %d", next-1, Total))
	}
	return groups, errors.Join(errs...)
}

// parseClause reads number, wording, and if there are any, status and why.
func parseClause(line string) (Clause, error) {
	fields := append(strings.Split(line, "\t"), "", "")
	number, err := strconv.Atoi(fields[0])
	if err != nil || len(fields) < 4 || fields[1] == "" {
		return Clause{}, fmt.Errorf("%q: write number, wording, status and why, with tabs between", line)
	}
	c := Clause{Number: number, Wording: fields[1], Status: Status(fields[2]), Why: fields[3]}
	switch c.Status {
	case Holds, NotYet, Deviation, DeviationTested, Elsewhere:
	default:
		return c, fmt.Errorf("clause %d: %q is no status", number, c.Status)
	}
	if (c.Status == Holds) != (c.Why == "") {
		return c, fmt.Errorf("clause %d: a status needs a reason, and a reason a status", number)
	}
	return c, nil
}
