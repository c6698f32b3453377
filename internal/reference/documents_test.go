package reference

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What the documents say is held against what there is.

var (
	block  = regexp.MustCompile("(?ms)^```(go|html|js)\n(.*?)^```$")
	link   = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	chore  = regexp.MustCompile("`make ([a-z-]+)`")
	target = regexp.MustCompile(`(?m)^([a-z-]+):`)
)

// starts is a go statement, or the Go method of a WaitGroup.
var starts = regexp.MustCompile(`(?m)^\s+(defer )?go (func|\(?\*?[a-z])|[wW]ait\.Go\(`)

// outside are folders with programs and suites of their own.
var outside = map[string]bool{
	".git": true, "test": true, "examples": true, "cmd/roost/internal": true, "pubsub/pubsubtest": true, "wire/wiretest": true,
}

const root = "../.."

func text(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// documents are all Markdown files by name.
func documents(t *testing.T) map[string]string {
	t.Helper()
	found := make(map[string]string)
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || len(d.Name()) > 1 && d.Name()[0] == '.'):
			return fs.SkipDir
		case strings.HasSuffix(name, ".md"):
			found[name] = text(t, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestTheReadmeIsShortAndItsChatIsTheExample(t *testing.T) {
	readme := text(t, "README.md")
	if n := strings.Count(readme, "\n"); n > 120 {
		t.Errorf("README.md has %d lines: 120 are enough", n)
	}
	blocks := block.FindAllStringSubmatch(readme, -1)
	if len(blocks) == 0 || blocks[0][2] != text(t, "examples/chat/main.go") {
		t.Error("the first Go program of README.md is not examples/chat/main.go")
	}
}

func TestTheTutorialsCodeIsThatOfItsProgram(t *testing.T) {
	program := text(t, "examples/tutorial/main.go") + text(t, "examples/tutorial/index.html")
	rest := program
	for _, b := range block.FindAllStringSubmatch(text(t, "docs/tutorial/chat-in-ten-minutes.md"), -1) {
		if !strings.Contains(program, b[2]) {
			t.Errorf("examples/tutorial does not have this, which the tutorial has:\n%s", b[2])
		}
		rest = strings.Replace(rest, b[2], "", 1)
	}
	if rest = strings.TrimSpace(rest); rest != "// Command tutorial is the chat of docs/tutorial/chat-in-ten-minutes.md." {
		t.Errorf("the tutorial does not have this, which examples/tutorial has:\n%s", rest)
	}
}

func TestLinksLeadSomewhere(t *testing.T) {
	for name, doc := range documents(t) {
		for _, l := range link.FindAllStringSubmatch(doc, -1) {
			to, _, _ := strings.Cut(l[1], "#")
			if to == "" || strings.Contains(to, "://") {
				continue
			}
			file := path.Join(path.Dir(name), to)
			if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(file))); err != nil {
				t.Errorf("%s leads to %s, which is not there", name, file)
			}
		}
	}
}

func TestEveryGoroutineIsAccountedFor(t *testing.T) {
	const page = "docs/explanation/concurrency.md"
	doc := text(t, page)
	for _, name := range starters(t) {
		if !strings.Contains(doc, name+"`") {
			t.Errorf("%s starts a goroutine: say in %s who ends it and who waits for it", name, page)
		}
	}
}

// starters are the files of what users link that start goroutines.
func starters(t *testing.T) (names []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && outside[name]:
			return fs.SkipDir
		case strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") && starts.MatchString(text(t, name)):
			names = append(names, path.Join(path.Base(path.Dir(name)), path.Base(name)))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestChoresThatDocumentsNameAreThere(t *testing.T) {
	known := make(map[string]bool)
	for _, m := range target.FindAllStringSubmatch(text(t, "Makefile"), -1) {
		known[m[1]] = true
	}
	for name, doc := range documents(t) {
		for _, m := range chore.FindAllStringSubmatch(doc, -1) {
			if !known[m[1]] {
				t.Errorf("%s names make %s, which the Makefile does not have", name, m[1])
			}
		}
	}
}
