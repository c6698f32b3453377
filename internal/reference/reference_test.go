package reference

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// write makes a folder with one Go file.
func write(t *testing.T, source string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "shop.go"), []byte("package shop\n\n"+source), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestAStructBecomesAChapter(t *testing.T) {
	dir := write(t, `
// Other comes first.
type Other struct{}

// Config is what a shop
// is made of.
//
// The zero value works.
type Config struct {
	// Name is what stands
	// over the door. Default: "shop".
	Name string

	// Open, Close are hours.
	Open, Close int

	// Sell is called for each customer. It may block.
	Sell func(who string) error

	till int
}
`)
	s, err := Read(dir, "Config")
	if err != nil {
		t.Fatal(err)
	}
	var p Page
	p.Struct("shop.Config", s)
	p.Output("shop -h", "Usage: shop\n")
	const want = "## shop.Config\n\n" +
		"Config is what a shop is made of.\n\nThe zero value works.\n\n" +
		"**Name** `string` · default: \"shop\"  \nName is what stands over the door.\n\n" +
		"**Open** `int`  \nOpen, Close are hours.\n\n" +
		"**Close** `int`  \nOpen, Close are hours.\n\n" +
		"**Sell** `func(who string) error`  \nSell is called for each customer. It may block.\n\n" +
		"## shop -h\n\n```\nUsage: shop\n```\n"
	if got := p.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestAFieldWithoutADocCommentIsAnError(t *testing.T) {
	dir := write(t, "// Config is one.\ntype Config struct {\n\tName string\n}\n")
	if _, err := Read(dir, "Config"); !errors.Is(err, ErrUndocumented) {
		t.Errorf("got %v", err)
	}
}

func TestAStructThatIsNotThereIsAnError(t *testing.T) {
	dir := write(t, "// Config is no struct.\ntype Config int\n")
	if _, err := Read(dir, "Config"); !errors.Is(err, ErrNoStruct) {
		t.Errorf("got %v", err)
	}
	if _, err := Read(write(t, "type {"), "Config"); err == nil {
		t.Error("what cannot be parsed is no error")
	}
}
