package reference

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What docs/reference/from-phoenix.md names is there.

// translated are the packages that it names things of, by folder.
var translated = []string{".", "pubsub", "pubsub/pubsubtest", "telemetry", "token", "transport", "transport/websocket", "wire"}

// row is a table's row with two columns; code is what stands in back quotes.
var (
	row  = regexp.MustCompile(`(?m)^\|(.+?)\|(.+)\|$`)
	code = regexp.MustCompile("`([^`]+)`")
)

func TestWhatPhoenixsUsersAreToldToUseIsThere(t *testing.T) {
	known := names{"roost": true}
	for _, dir := range translated {
		known.read(t, dir)
	}
	found := 0
	for _, r := range row.FindAllStringSubmatch(text(t, "docs/reference/from-phoenix.md"), -1) {
		for _, name := range code.FindAllStringSubmatch(r[2], -1) {
			found++
			if !known[name[1]] {
				t.Errorf("%s: there is no %s", strings.TrimSpace(r[1]), name[1])
			}
		}
	}
	if found < 100 {
		t.Errorf("only %d names found: has the page other tables now?", found)
	}
}

func TestWhatPhoenixsUsersAreToldHasOneOfThreeAnswers(t *testing.T) {
	for _, r := range row.FindAllStringSubmatch(text(t, "docs/reference/from-phoenix.md"), -1) {
		_, why, _ := strings.Cut(r[2], "not yet: ")
		_, reason, _ := strings.Cut(r[2], "no equivalent: ")
		head := strings.HasPrefix(r[2], "---") || strings.TrimSpace(r[2]) == "Roost"
		if !head && !code.MatchString(r[2]) && strings.TrimSpace(why+reason) == "" {
			t.Errorf("%s: neither a name nor a reason", strings.TrimSpace(r[1]))
		}
	}
}

func TestNamesAreThoseOfTheCode(t *testing.T) {
	known := make(names)
	known.read(t, "pubsub")
	for name, want := range map[string]bool{
		"pubsub.New": true, "pubsub.PubSub.Run": true, "pubsub.Message.From": true, "pubsub.Adapter.Direct": true,
		"pubsub.ErrAdapter": true, "pubsub.DefaultNode": true,
		"pubsub.Run": false, "pubsub.entry": false, "pubsub.Message.attached": false, "PubSub": false,
	} {
		if known[name] != want {
			t.Errorf("%s: %v, want %v", name, known[name], want)
		}
	}
}

// names are the exported names of packages, as their users write them, those of
// the root without its own.
type names map[string]bool

// read adds those of one folder.
func (n names) read(t *testing.T, dir string) {
	t.Helper()
	files, err := fs.Glob(os.DirFS(filepath.Join(root, dir)), "*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no Go files in %s: %v", dir, err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		prefix := ""
		if dir != "." {
			prefix = f.Name.Name + "."
		}
		for _, d := range f.Decls {
			n.declared(prefix, d)
		}
	}
}

func (n names) declared(prefix string, d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv != nil {
			prefix += receiver(d.Recv.List[0].Type) + "."
		}
		n.add(prefix, d.Name)
	case *ast.GenDecl:
		for _, s := range d.Specs {
			n.specified(prefix, s)
		}
	}
}

func (n names) specified(prefix string, s ast.Spec) {
	switch s := s.(type) {
	case *ast.ValueSpec:
		n.add(prefix, s.Names...)
	case *ast.TypeSpec:
		n.add(prefix, s.Name)
		for _, f := range members(s.Type) {
			n.add(prefix+s.Name.Name+".", f.Names...)
		}
	}
}

// members are the fields of a struct or the methods of an interface.
func members(t ast.Expr) []*ast.Field {
	switch t := t.(type) {
	case *ast.StructType:
		return t.Fields.List
	case *ast.InterfaceType:
		return t.Methods.List
	}
	return nil
}

// receiver is the name of a method's type.
func receiver(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return receiver(t.X)
	case *ast.Ident:
		return t.Name
	}
	return ""
}

func (n names) add(prefix string, ids ...*ast.Ident) {
	for _, id := range ids {
		if id.IsExported() {
			n[prefix+id.Name] = true
		}
	}
}
