package token_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/roostgo/roost/token"
)

// The secret_key_base of the Phoenix application. Real ones come from where
// secrets are kept, and hold 64 random bytes.
var secretKeyBase = []byte("a-secret-key-base-from-the-environment")

// A Phoenix application signs who the user is, puts that into its page, and
// Roost verifies it when the page's client connects.
func Example() {
	keys, err := token.New(secretKeyBase, "user socket", token.Config{})
	if err != nil {
		panic(err)
	}
	fromPage, err := keys.Sign(42) // Phoenix.Token.sign(Endpoint, "user socket", 42)
	if err != nil {
		panic(err)
	}

	var userID int64
	switch err := keys.Verify(fromPage, 14*24*time.Hour, &userID); {
	case errors.Is(err, token.ErrExpired):
		fmt.Println("sign in again")
	case err != nil:
		fmt.Println("who are you?")
	default:
		fmt.Println("hello, user", userID)
	}
	// Output: hello, user 42
}

// Structs are maps with atom keys: %{user_id: 42, roles: ["admin"]}.
func ExampleKeyring_Encrypt() {
	type session struct {
		UserID int64    `token:"user_id"`
		Roles  []string `token:"roles"`
	}
	keys, err := token.New(secretKeyBase, "session", token.Config{MaxAge: time.Hour})
	if err != nil {
		panic(err)
	}
	sealed, err := keys.Encrypt(session{UserID: 42, Roles: []string{"admin"}})
	if err != nil {
		panic(err)
	}
	var s session
	fmt.Println(keys.Decrypt(sealed, token.AsSigned, &s), s)
	// Output: <nil> {42 [admin]}
}

// A secret that is replaced is still accepted for as long as its tokens live.
func ExampleConfig_older() {
	before, err := token.New([]byte("the secret of last year, now too old"), "user socket", token.Config{})
	if err != nil {
		panic(err)
	}
	old, err := before.Sign("ada")
	if err != nil {
		panic(err)
	}
	keys, err := token.New(secretKeyBase, "user socket", token.Config{
		Older: [][]byte{[]byte("the secret of last year, now too old")},
	})
	if err != nil {
		panic(err)
	}
	var user string
	fmt.Println(keys.Verify(old, token.AsSigned, &user), user)
	// Output: <nil> ada
}
