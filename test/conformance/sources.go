package conformance

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Sources are the numbers of the clauses that tests name.
type Sources struct {
	Go map[int]bool // tested in this package
	JS map[int]bool // tested in test/js, with real clients
}

// ReadSources reads the tests of a repository. It reads their text, so that it does not depend on which of them run.
func ReadSources(root string) (Sources, error) {
	s := Sources{Go: make(map[int]bool), JS: make(map[int]bool)}
	files, err := filepath.Glob(filepath.Join(root, "test", "conformance", "*_test.go"))
	errs := []error{err}
	for _, f := range files {
		if filepath.Base(f) != "harness_test.go" {
			errs = append(errs, s.readGo(f))
		}
	}
	errs = append(errs, s.readJS(filepath.Join(root, "test", "js")))
	return s, errors.Join(errs...)
}

// readGo finds the calls of clause, clauseWith and clauseOnly.
func (s Sources) readGo(path string) error {
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	var errs []error
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || !namesClause(call) {
			return true
		}
		number, ok := literal(call.Args[1])
		if !ok {
			errs = append(errs, fmt.Errorf("%v: write the clause's number as a literal, so that it can be found", files.Position(call.Pos())))
		}
		s.Go[number] = true
		return true
	})
	return errors.Join(errs...)
}

func namesClause(call *ast.CallExpr) bool {
	name, ok := call.Fun.(*ast.Ident)
	return ok && len(call.Args) > 1 && (name.Name == "clause" || name.Name == "clauseWith" || name.Name == "clauseOnly")
}

func literal(e ast.Expr) (int, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(lit.Value)
	return n, err == nil
}

// named is how a scenario of test/js says what it shows: "rejoins (clauses 291, 296)".
var named = regexp.MustCompile(`\(clauses? ([0-9, ]+)\)`)

// readJS finds the clauses that scenarios name.
func (s Sources) readJS(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "node_modules":
			return fs.SkipDir
		case filepath.Ext(path) != ".js":
			return nil
		}
		text, err := os.ReadFile(path) //nolint:gosec // the repository's own sources
		for _, match := range named.FindAllSubmatch(text, -1) {
			for word := range strings.FieldsFuncSeq(string(match[1]), func(r rune) bool { return r == ',' || r == ' ' }) {
				number, _ := strconv.Atoi(word) // digits
				s.JS[number] = true
			}
		}
		return err
	})
}

// Check names every clause whose status and tests contradict each other.
func (s Sources) Check(groups []Group) error {
	var errs []error
	known := make(map[int]bool, Total)
	for _, g := range groups {
		for _, c := range g.Clauses {
			known[c.Number] = true
			errs = append(errs, s.check(c))
		}
	}
	for number := range s.Go {
		if !known[number] {
			errs = append(errs, fmt.Errorf("clause %d is tested, but there is no such clause", number))
		}
	}
	return errors.Join(errs...)
}

func (s Sources) check(c Clause) error {
	switch {
	case s.Go[c.Number] && !c.Status.tested():
		return fmt.Errorf("clause %d is tested, and clauses.tsv says %q", c.Number, c.Status)
	case !s.Go[c.Number] && c.Status.tested():
		return fmt.Errorf("clause %d is neither tested nor explained: test it, or say in clauses.tsv why not", c.Number)
	case c.Status == Elsewhere && !s.JS[c.Number]:
		return fmt.Errorf("clause %d is said to be tested by test/js, where nothing names it", c.Number)
	}
	return nil
}
