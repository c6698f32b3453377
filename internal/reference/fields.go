// Package reference writes the reference of configuration structs from their
// doc comments, so that there is one text and it stands beside the code.
package reference

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"path/filepath"
	"strings"
)

// ErrUndocumented is wrapped when an exported field has no doc comment.
var ErrUndocumented = errors.New("reference: field without a doc comment")

// ErrNoStruct is wrapped when a package has no struct of that name.
var ErrNoStruct = errors.New("reference: no such struct")

// Field is one exported field of a struct.
type Field struct {
	Name    string
	Type    string // as it is written in the source
	Text    string // its doc comment, without the default
	Default string // what its doc comment says behind "Default:"; "" if nothing
}

// Struct is a documented struct.
type Struct struct {
	Text   string
	Fields []Field
}

// Read finds a struct in the Go files of a folder.
func Read(dir, name string) (Struct, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return Struct{}, fmt.Errorf("reference: list %s: %w", dir, err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return Struct{}, fmt.Errorf("reference: %w", err)
		}
		if decl, fields := find(tree, name); fields != nil {
			return describe(decl, fields)
		}
	}
	return Struct{}, fmt.Errorf("%w: %s in %s", ErrNoStruct, name, dir)
}

func find(file *ast.File, name string) (*ast.GenDecl, *ast.StructType) {
	for _, decl := range file.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok || gen.Tok != token.TYPE {
			continue
		}
		for _, spec := range gen.Specs {
			t := spec.(*ast.TypeSpec)
			if fields, ok := t.Type.(*ast.StructType); ok && t.Name.Name == name {
				return gen, fields
			}
		}
	}
	return nil, nil
}

func describe(decl *ast.GenDecl, fields *ast.StructType) (Struct, error) {
	s := Struct{Text: prose(decl.Doc.Text())}
	var errs []error
	for _, f := range fields.Fields.List {
		for _, name := range f.Names {
			if !name.IsExported() {
				continue
			}
			if f.Doc == nil {
				errs = append(errs, fmt.Errorf("%w: %s", ErrUndocumented, name.Name))
				continue
			}
			text, def := split(prose(f.Doc.Text()))
			s.Fields = append(s.Fields, Field{Name: name.Name, Type: source(f.Type), Text: text, Default: def})
		}
	}
	return s, errors.Join(errs...)
}

// source is a type as it is written.
func source(e ast.Expr) string {
	var b strings.Builder
	_ = printer.Fprint(&b, token.NewFileSet(), e) // a strings.Builder takes everything
	return b.String()
}

// prose joins the lines of a paragraph, which are broken for the source.
func prose(comment string) string {
	paragraphs := strings.Split(strings.TrimSpace(comment), "\n\n")
	for i, p := range paragraphs {
		paragraphs[i] = strings.ReplaceAll(p, "\n", " ")
	}
	return strings.Join(paragraphs, "\n\n")
}

// split cuts the default off a field's text; it comes last.
func split(text string) (rest, def string) {
	rest, def, _ = strings.Cut(text, "Default: ")
	return strings.TrimSpace(rest), strings.TrimSuffix(def, ".")
}
