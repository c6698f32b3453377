package reference

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

var (
	named    = regexp.MustCompile("`(Test[A-Za-z0-9]+)`")
	declared = regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9]+)\(t \*testing\.T\)`)
)

func TestTestsThatTheSecurityPageNamesAreThere(t *testing.T) {
	const page = "docs/explanation/security.md"
	there := testFunctions(t)
	names := named.FindAllStringSubmatch(text(t, page), -1)
	if len(names) == 0 {
		t.Errorf("%s names no test", page)
	}
	for _, n := range names {
		if !there[n[1]] {
			t.Errorf("%s names %s, which is not there", page, n[1])
		}
	}
}

// testFunctions are those of all packages.
func testFunctions(t *testing.T) map[string]bool {
	t.Helper()
	found := make(map[string]bool)
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		for _, m := range declared.FindAllStringSubmatch(text(t, name), -1) {
			found[m[1]] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
