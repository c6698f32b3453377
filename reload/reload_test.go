package reload_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/roostgo/roost/reload"
)

func TestFilesAreReadWhenTheyChangeOrWhenTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		write := func(text string) {
			t.Helper()
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var used string
		bad := errors.New("bad")
		now, reports := make(chan os.Signal), make(chan error, 1)
		write("first")
		w, err := reload.New(reload.Config{Files: []string{file, ""}, Every: time.Minute, Now: now, Report: func(err error) { reports <- err }, Load: func() error {
			text, err := os.ReadFile(file) //nolint:gosec // the test's own
			if string(text) == "a bad one" {
				return bad
			}
			used = string(text)
			return err
		}})
		if err != nil {
			t.Fatal(err)
		}
		go func() { _ = w.Run(t.Context()) }() // ends with the test
		expect := func(text string, done, failed uint64) {
			t.Helper()
			synctest.Wait()
			if got := w.Stats(); used != text || got != (reload.Stats{Done: done, Failed: failed}) {
				t.Errorf("%q is in use, %+v", used, got)
			}
		}
		<-time.After(5 * time.Minute)
		expect("first", 0, 0)
		write("the second")
		if err := <-reports; err != nil {
			t.Error(err)
		}
		expect("the second", 1, 0)
		write("a bad one")
		if err := <-reports; !errors.Is(err, bad) {
			t.Error(err)
		}
		expect("the second", 1, 1)
		<-time.After(5 * time.Minute)
		expect("the second", 1, 1) // once for each change
		write("the fourth")
		now <- syscall.SIGHUP
		expect("the fourth", 2, 1)
		if err := <-reports; err != nil {
			t.Error(err)
		}
		now <- syscall.SIGHUP
		expect("the fourth", 3, 1)
	})
}
