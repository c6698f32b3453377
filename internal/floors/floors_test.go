package floors

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// The files are parsed, not asked for with go list: what a command says does
// not enter the test cache's key, and an inversion would stay green.

func TestEveryPackageImportsLowerFloorsOnly(t *testing.T) {
	imports := read(t, os.DirFS(filepath.Join("..", "..")))
	if len(imports) < 100 {
		t.Fatalf("only %d imports found: is this the repository?", len(imports))
	}
	for _, i := range imports {
		if fault := i.Fault(); fault != "" {
			t.Error(fault)
		}
	}
}

func TestEveryHomeIsThere(t *testing.T) {
	for _, h := range house {
		if _, err := os.Stat(filepath.Join("..", "..", filepath.FromSlash(h.path))); err != nil {
			t.Errorf("%s has a floor and no folder: take it out of house.go", h.path)
		}
	}
}

func TestInversionsAreFound(t *testing.T) {
	for _, c := range []struct {
		name string
		i    Import
		want string // a part of the fault; "" is none
	}{
		{"a transport knows the root", Import{From: "transport/websocket", Path: Module}, "lower floors only"},
		{"neighbours on a floor", Import{From: "pubsub", Path: Module + "/transport"}, "lower floors only"},
		{"internal packages among themselves", Import{From: "internal/poll", Path: Module + "/internal/frame"}, "lower floors only"},
		{"the command through a private door", Import{From: "cmd/roost", Path: Module + "/internal/frame"}, "users cannot"},
		{"an example through a private door", Import{From: "examples/chat", Path: Module + "/internal/lane"}, "users cannot"},
		{"a stranger", Import{From: "wire", Path: "example.com/fast/json"}, "links as little"},
		{"suture outside the tree", Import{From: ".", Path: "github.com/thejerf/suture/v4"}, "links as little"},
		{"goleak in the library", Import{From: ".", Path: "go.uber.org/goleak"}, "tests only"},
		{"a new package", Import{From: "attic", Path: "fmt"}, "has no floor"},
		{"a new package below an old one", Import{From: "transport/pigeon", Path: "fmt"}, "has no floor"},
		{"a test client in the library", Import{From: ".", Path: Module + "/test/client"}, "lower floors only"},
		{"a test of a lower floor knows the root", Import{From: "pubsub", Path: Module, Test: true}, "lower floors only"},

		{"neighbours in a test", Import{From: "internal/poll", Path: Module + "/internal/lane", Test: true}, ""},
		{"downstairs", Import{From: ".", Path: Module + "/wire"}, ""},
		{"the command's own rooms", Import{From: "cmd/roost", Path: Module + "/cmd/roost/internal/bench"}, ""},
		{"a test of its package from outside", Import{From: "wire", Path: Module + "/wire", Test: true}, ""},
		{"a test client in a test", Import{From: ".", Path: Module + "/test/client", Test: true}, ""},
		{"a suite in a test", Import{From: "pubsub", Path: Module + "/pubsub/pubsubtest", Test: true}, ""},
		{"the system", Import{From: "internal/poll", Path: "golang.org/x/sys/unix"}, ""},
		{"the standard library", Import{From: "wire", Path: "encoding/json"}, ""},
	} {
		got := c.i.Fault()
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// read parses the imports of all Go files, of every system and build tag.
func read(t *testing.T, root fs.FS) (imports []Import) {
	t.Helper()
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && skipped(root, name):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go"):
			return nil
		}
		found, err := of(root, name)
		imports = append(imports, found...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return imports
}

// skipped reports whether a folder holds no package of this module.
func skipped(root fs.FS, dir string) bool {
	if dir == "." {
		return false
	}
	base := path.Base(dir)
	_, err := fs.Stat(root, path.Join(dir, "go.mod"))
	return err == nil || base == "testdata" || base == "node_modules" || strings.HasPrefix(base, ".")
}

func of(root fs.FS, name string) ([]Import, error) {
	source, err := fs.ReadFile(root, name)
	if err != nil {
		return nil, err
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	imports := make([]Import, 0, len(file.Imports))
	for _, spec := range file.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		imports = append(imports, Import{From: path.Dir(name), Path: p, Test: strings.HasSuffix(name, "_test.go")})
	}
	return imports, nil
}
