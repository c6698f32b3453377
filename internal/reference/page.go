package reference

import (
	"fmt"
	"strings"
)

// Page is a Markdown document in the making.
type Page struct{ b strings.Builder }

// Add appends text and an empty line.
func (p *Page) Add(format string, args ...any) { fmt.Fprintf(&p.b, format+"\n\n", args...) }

// Struct appends a chapter about a struct, one entry for each field.
func (p *Page) Struct(title string, s Struct) {
	p.Add("## %s", title)
	p.Add("%s", s.Text)
	for _, f := range s.Fields {
		line := fmt.Sprintf("**%s** `%s`", f.Name, f.Type)
		if f.Default != "" {
			line += " · default: " + f.Default
		}
		p.Add("%s  \n%s", line, f.Text)
	}
}

// Output appends a chapter with what a command prints.
func (p *Page) Output(title, text string) {
	p.Add("## %s", title)
	p.Add("```\n%s\n```", strings.TrimSpace(text))
}

// String is the document.
func (p *Page) String() string { return strings.TrimSpace(p.b.String()) + "\n" }
