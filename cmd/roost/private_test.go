package main

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// secretsIn writes a file that only its owner can read.
func secretsIn(t *testing.T, lines ...string) (name string) {
	t.Helper()
	name = filepath.Join(t.TempDir(), "secrets")
	must(t, os.WriteFile(name, []byte(strings.Join(lines, "\n")), 0o600))
	return name
}

func TestCommentsAndBlankLinesAreNoSecrets(t *testing.T) {
	lines, warning, err := private(secretsIn(t, "# the new one", "", "  one  ", "\t# the one before", "two\r", " "))
	must(t, err)
	if want := []privateLine{{"one", 3}, {"two", 5}}; !slices.Equal(lines, want) || warning != "" {
		t.Errorf("got %v, %q", lines, warning)
	}
}

func TestFilesWithoutSecretsAreExplained(t *testing.T) {
	for want, file := range map[string]string{
		"roost secret >":       secretsIn(t, "# none", ""),
		"is it the right file": secretsIn(t, strings.Repeat("x", maxPrivate+1)),
		"no such file":         "nowhere",
		"is a directory":       t.TempDir(),
	} {
		if runtime.GOOS == "windows" && !strings.Contains(want, " ") {
			continue
		}
		if _, _, err := private(file); err == nil || runtime.GOOS != "windows" && !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestAFileThatEverybodyCanReadIsWarnedOf(t *testing.T) {
	for mode, warned := range map[os.FileMode]bool{0o600: false, 0o640: false, 0o644: true, 0o602: true} {
		if got := exposure("keys", mode); (got != "") != (warned && runtime.GOOS != "windows") {
			t.Errorf("%v: got %q", mode, got)
		}
	}
	if runtime.GOOS == "windows" {
		return
	}
	name := secretsIn(t, newSecret(t), newSecret(t))
	must(t, os.Chmod(name, 0o644)) //nolint:gosec // that is the point
	s := serveFor(t, "-secret-file", name)
	if got := s.problems.String(); !strings.HasPrefix(got, "Every user of this machine can read or change "+name+": chmod 600 "+name+"\n") {
		t.Errorf("got %q", got)
	}
}
