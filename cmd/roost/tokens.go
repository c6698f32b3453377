package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/big"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/token"
)

// defaultSalt is what Phoenix's guides and generators sign socket tokens with.
const defaultSalt = "user socket"

// minSecret is how short a secret may be, in bytes. Package token and
// Phoenix.Token take less; Phoenix applications do not start with less.
const minSecret = 64

// socketIDs is how the socket ids of those who showed a token begin, as in what
// Phoenix generates. A socket id is a topic, too: the relay lets nobody join one.
const socketIDs = "user_socket:"

// tokenFlags are what a command can be told about tokens.
type tokenFlags struct {
	file   string
	salt   string
	maxAge time.Duration
}

func (f *tokenFlags) register(fs *flag.FlagSet) {
	fs.StringVar(&f.file, "secret-file", "", "`file` with the secret_key_base by whose tokens clients say who they are. More lines are older ones, still accepted.\n"+
		"Default: nobody is asked")
	fs.StringVar(&f.salt, "token-salt", defaultSalt, "`salt` that tokens are signed with, as in Phoenix.Token.sign(conn, \"user socket\", user.id)")
	fs.DurationVar(&f.maxAge, "token-max-age", 0, "how old a token may be, whatever it says itself; default: what it says, 24h unless it was signed with another max_age")
}

// check says what is wrong with the flags.
func (f *tokenFlags) check() error {
	switch {
	case f.maxAge < 0:
		return fmt.Errorf("flag -token-max-age is %v: no token would be young enough", f.maxAge)
	case f.file == "" && (f.maxAge != 0 || f.salt != defaultSalt):
		return errors.New("flags -token-salt and -token-max-age need -secret-file: without a secret nobody is asked for a token")
	}
	return nil
}

// keyring derives the keys of the secrets in the file; maxAge is for what it
// signs.
func (f *tokenFlags) keyring(maxAge time.Duration) (keys *token.Keyring, warning string, err error) {
	lines, warning, err := private(f.file)
	if err != nil {
		return nil, "", fmt.Errorf("flag -secret-file: %w", err)
	}
	secrets := make([][]byte, 0, len(lines))
	for _, l := range lines {
		if len(l.text) < minSecret {
			return nil, "", fmt.Errorf("flag -secret-file: line %d of %s has %d bytes, fewer than %d, which can be guessed: "+
				"take the application's secret_key_base, or what `roost secret` prints", l.number, f.file, len(l.text), minSecret)
		}
		secrets = append(secrets, []byte(l.text))
	}
	keys, err = token.New(secrets[0], f.salt, token.Config{Older: secrets[1:], MaxAge: maxAge})
	return keys, warning, err
}

// visitors asks clients who they are.
type visitors struct {
	keys   atomic.Pointer[token.Keyring] // replaced when the file changes
	maxAge time.Duration
}

// visitors is nil without a secret.
func (f *tokenFlags) visitors() (v *visitors, warning string, err error) {
	if f.file == "" {
		return nil, "", nil
	}
	v = &visitors{maxAge: token.AsSigned}
	if f.maxAge > 0 {
		v.maxAge = f.maxAge
	}
	keys, warning, err := f.keyring(0)
	v.keys.Store(keys)
	return v, warning, err
}

// guard has an endpoint ask them; nil leaves it as it is.
func (v *visitors) guard(c *roost.Config) {
	if v == nil {
		return
	}
	c.Connect, c.ErrorHandler, c.WebSocket.AuthToken = v.connect, unauthorized, true
}

// connect lets a client in whose token says who it is: phoenix.js's authToken,
// or else the parameter "token". It is a [roost.Config.Connect].
func (v *visitors) connect(_ context.Context, c *roost.Connect) error {
	sent := c.AuthToken
	if sent == "" {
		sent, _ = c.Params["token"].(string)
	}
	var who any
	if err := v.keys.Load().Verify(sent, v.maxAge, &who); err != nil {
		return err
	}
	id, ok := userID(who)
	if !ok {
		return fmt.Errorf("token: it is good, but holds a %T: sign the user's id, a string or an integer", who)
	}
	c.ID = socketIDs + id
	return nil
}

// userID is what a token holds, as text: 42 and "42" are the same user, as they
// are in "user_socket:#{id}".
func userID(who any) (id string, ok bool) {
	switch who := who.(type) {
	case string:
		return who, who != ""
	case int64:
		return strconv.FormatInt(who, 10), true
	case *big.Int:
		return who.String(), true
	}
	return "", false
}

// unauthorized answers who is not let in. Why stands in the log only: whoever
// tries to forge a token learns nothing of it. It is a
// [roost.Config.ErrorHandler].
func unauthorized(w http.ResponseWriter, _ *http.Request, _ error) {
	answer(w, http.StatusForbidden, map[string]string{"reason": "unauthorized", "code": "unauthorized"})
}
