package main

import (
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/roostgo/roost/token"
)

// newSecret is what `roost secret` prints.
func newSecret(t *testing.T) string {
	t.Helper()
	out, _, err := told(t, "secret")
	must(t, err)
	return strings.TrimSuffix(out, "\n")
}

func TestSecretsAreLongAndNeverTheSame(t *testing.T) {
	one, two := newSecret(t), newSecret(t)
	if len(one) < minSecret || len(one) < minKey || one == two || strings.ContainsAny(one, " \n#") {
		t.Errorf("got %q and %q", one, two)
	}
	if _, _, err := told(t, "secret", "64"); err == nil {
		t.Error("an argument is passed over")
	}
}

func TestATokenIsSignedForAnID(t *testing.T) {
	secret := newSecret(t)
	file := secretsIn(t, "# comment", secret, newSecret(t))
	for _, c := range []struct {
		args []string
		salt string
		want any
	}{
		{[]string{"ada"}, "user socket", "ada"},
		{[]string{"42"}, "user socket", int64(42)},
		{[]string{"-7"}, "user socket", nil},
		{[]string{"--", "-7"}, "user socket", int64(-7)},
		{[]string{"007"}, "user socket", "007"},
		{[]string{"123456789012345678901"}, "user socket", "123456789012345678901"},
		{[]string{"-salt", "other", "ada"}, "other", "ada"},
	} {
		out, _, err := told(t, append([]string{"token", "-secret-file", file}, c.args...)...)
		if c.want == nil {
			if err == nil {
				t.Errorf("%q: got %s", c.args, out)
			}
			continue
		}
		must(t, err)
		keys, err := token.New([]byte(secret), c.salt, token.Config{})
		must(t, err)
		var got any
		if err := keys.Verify(strings.TrimSuffix(out, "\n"), token.AsSigned, &got); err != nil || got != c.want {
			t.Errorf("%q: got %v, %v", c.args, got, err)
		}
	}
}

func TestATokenGetsAsOldAsTheFlagSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		secret := newSecret(t)
		out, _, err := told(t, "token", "-secret-file", secretsIn(t, secret), "-max-age", "90m", "ada")
		must(t, err)
		keys, err := token.New([]byte(secret), defaultSalt, token.Config{})
		must(t, err)
		<-time.After(89 * time.Minute)
		must(t, keys.Verify(strings.TrimSpace(out), token.AsSigned, nil))
		<-time.After(2 * time.Minute)
		if err := keys.Verify(strings.TrimSpace(out), token.AsSigned, nil); !errors.Is(err, token.ErrExpired) {
			t.Errorf("got %v", err)
		}
	})
}

func TestATokenThatCannotBeSignedIsExplained(t *testing.T) {
	good, short := secretsIn(t, newSecret(t)), secretsIn(t, "# a comment", "too short, this")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"ada"}, "-secret-file is missing"},
		{[]string{"-secret-file", "nowhere", "ada"}, "open nowhere"},
		{[]string{"-secret-file", short, "ada"}, "line 2 of " + short + " has 15 bytes, fewer than 64"},
		{[]string{"-secret-file", good}, "one ID behind the flags"},
		{[]string{"-secret-file", good, ""}, "one ID behind the flags"},
		{[]string{"-secret-file", good, "ada", "-max-age", "1h"}, "one ID behind the flags"},
		{[]string{"-secret-file", good, "-max-age", "999ms", "ada"}, "would have expired"},
		{[]string{"-secret-file", good, "-lifetime", "1h", "ada"}, "not defined"},
	} {
		out, _, err := told(t, append([]string{"token"}, c.args...)...)
		if err == nil || !strings.Contains(err.Error(), c.want) || out != "" || strings.Contains(err.Error(), "too short") {
			t.Errorf("%q: got %q, %v, want %q", c.args, out, err, c.want)
		}
	}
	must(t, os.Chmod(good, 0o644)) //nolint:gosec // that is the point
	if _, problems, err := told(t, "token", "-secret-file", good, "ada"); err != nil || !strings.Contains(problems, "chmod 600") {
		t.Errorf("got %q, %v", problems, err)
	}
}
