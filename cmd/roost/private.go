package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"
)

// maxPrivate bounds a file of secrets, in bytes.
const maxPrivate = 1 << 20

// privateLine is one secret of a file, and where it stands there.
type privateLine struct {
	text   string
	number int
}

// private are the lines of a file that is nobody else's business. Blank lines
// and those that begin with # are left out. No error has a line's text in it.
// warning is for the user's eyes.
func private(name string) (lines []privateLine, warning string, err error) {
	f, err := os.Open(name) //nolint:gosec // the operator names it
	if err != nil {
		return nil, "", err
	}
	defer f.Close() //nolint:errcheck // it was only read
	info, err := f.Stat()
	if err != nil {
		return nil, "", err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxPrivate+1))
	switch {
	case err != nil:
		return nil, "", err
	case len(text) > maxPrivate:
		return nil, "", fmt.Errorf("%s has more than %d bytes: is it the right file?", name, maxPrivate)
	}
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, privateLine{line, number})
		}
	}
	if len(lines) == 0 {
		return nil, "", fmt.Errorf("%s is empty: `(umask 077; roost secret > %s)` mends that", name, name)
	}
	return lines, exposure(name, info.Mode()), nil
}

// exposure warns of a file that every user of the machine can read or change.
func exposure(name string, mode fs.FileMode) string {
	if runtime.GOOS == "windows" || mode.Perm()&0o006 == 0 { // Windows has other rights, which Mode does not say
		return ""
	}
	return fmt.Sprintf("Every user of this machine can read or change %s: chmod 600 %s\n", name, name)
}
