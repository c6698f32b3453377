// Table runs the conformance tests and writes docs/reference/conformance.md.
//
// It fails, after writing, when a clause's test does not pass, or when tests and clauses.tsv contradict each other.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/roostgo/roost/test/conformance"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	root, err := repository()
	if err != nil {
		return err
	}
	groups, err := conformance.Groups()
	if err != nil {
		return err
	}
	sources, err := conformance.ReadSources(root)
	if err != nil {
		return err
	}
	failed, exit, err := test(root, sources)
	if err != nil {
		return err
	}
	path := filepath.Join(root, conformance.TablePath)
	if err := os.WriteFile(path, []byte(conformance.Render(groups, failed)), 0o644); err != nil { //nolint:gosec // a document
		return fmt.Errorf("table: %w", err)
	}
	return errors.Join(sources.Check(groups), complaint(failed), exit)
}

// repository is the folder of the module that the command is run in.
func repository() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("table: go env GOMOD: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(out))), nil
}

// result is a line of go test -json.
type result struct {
	Action string
	Test   string
}

// clause is how a clause's tests are called: TestJoin/147_…, and TestJoin/147_…/loops below it.
var clause = regexp.MustCompile(`^[^/]+/(\d{3})_`)

// aboutTable are the tests that look at the table itself.
const aboutTable = "^(TestTableIsUpToDate|TestEveryClauseIsTestedOrExplained)$"

// test runs the clauses. One that should be tested and did not pass has failed; exit says that something has, a clause
// or the check for leaks.
func test(root string, sources conformance.Sources) (failed map[int]bool, exit, err error) {
	cmd := exec.Command("go", "test", "-json", "-run", "/^[0-9]{3}_", "-skip", aboutTable, "./test/conformance")
	cmd.Dir = root
	cmd.Stderr = os.Stderr
	out, exit := cmd.Output()
	passed, failed, err := read(bytes.NewReader(out))
	if err != nil || len(passed)+len(failed) == 0 {
		return nil, nil, fmt.Errorf("table: the tests did not run: %w\n%s", errors.Join(exit, err), out)
	}
	if exit != nil {
		exit = fmt.Errorf("table: go test: %w", exit)
	}
	for number := range sources.Go {
		failed[number] = failed[number] || !passed[number]
	}
	return failed, exit, nil
}

func read(r io.Reader) (passed, failed map[int]bool, err error) {
	passed, failed = make(map[int]bool), make(map[int]bool)
	for d := json.NewDecoder(r); ; {
		var line result
		if err := d.Decode(&line); errors.Is(err, io.EOF) {
			return passed, failed, nil
		} else if err != nil {
			return nil, nil, fmt.Errorf("table: read the results: %w", err)
		}
		m := clause.FindStringSubmatch(line.Test)
		if m == nil {
			continue
		}
		number, _ := strconv.Atoi(m[1]) // digits
		switch line.Action {
		case "pass":
			passed[number] = true
		case "fail":
			failed[number] = true
		}
	}
}

func complaint(failed map[int]bool) error {
	var numbers []int
	for number, yes := range failed {
		if yes {
			numbers = append(numbers, number)
		}
	}
	if len(numbers) == 0 {
		return nil
	}
	slices.Sort(numbers)
	return fmt.Errorf("table: these clauses do not pass: %v", numbers)
}
