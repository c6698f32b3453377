package conformance

import (
	"os"
	"path/filepath"
	"testing"
)

// root is the repository, seen from here.
const root = "../.."

func TestEveryClauseIsTestedOrExplained(t *testing.T) {
	groups, err := Groups()
	must(t, err)
	sources, err := ReadSources(root)
	must(t, err)
	must(t, sources.Check(groups))
}

func TestTableIsUpToDate(t *testing.T) {
	groups, err := Groups()
	must(t, err)
	committed, err := os.ReadFile(filepath.Join(root, TablePath))
	must(t, err)
	if string(committed) != Render(groups, nil) {
		t.Fatalf("%s is not what the tests say: run go run ./test/conformance/table", TablePath)
	}
}

func TestContradictionsAreFound(t *testing.T) {
	sources := Sources{Go: map[int]bool{1: true, 2: true, 9: true}, JS: map[int]bool{}}
	clauses := []Clause{
		{Number: 1, Status: Holds}, {Number: 2, Status: NotYet}, {Number: 3, Status: Holds},
		{Number: 4, Status: Elsewhere}, {Number: 5, Status: Deviation},
	}
	want := []bool{false, true, true, true, false}
	for i, c := range clauses {
		if got := sources.check(c) != nil; got != want[i] {
			t.Errorf("clause %d: contradiction %v, want %v", c.Number, got, want[i])
		}
	}
	if sources.Check([]Group{{Clauses: clauses[:1]}}) == nil {
		t.Error("a test of a clause that does not exist was not noticed")
	}
}

func TestClausesThatCannotBeReadAreNamed(t *testing.T) {
	for _, line := range []string{"", "x\twording", "1", "1\twording\tperhaps\twhy", "1\twording\tnot yet", "1\twording\t\twhy"} {
		if _, err := parseClause(line); err == nil {
			t.Errorf("%q was accepted", line)
		}
	}
}
