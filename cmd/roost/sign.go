package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"time"
)

// signToken is `roost token`: it prints a token for a user.
func signToken(args []string, stdout, stderr io.Writer) error {
	var f tokenFlags
	fs := flag.NewFlagSet("roost token", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&f.file, "secret-file", "", "`file` with the secret_key_base; its first line signs")
	fs.StringVar(&f.salt, "salt", defaultSalt, "`salt` to sign with: that of -token-salt")
	maxAge := fs.Duration("max-age", 24*time.Hour, "how old the token may get")
	fs.Usage = func() {
		fmt.Fprint(stderr, "Usage: roost token -secret-file FILE [flags] ID\n\nSigns a token that says who its owner is, for roost serve -secret-file and for Phoenix.Token.verify.\n"+
			"An ID of digits is signed as an integer, another one as a string.\n\n")
		fs.PrintDefaults()
	}
	if err := explained(fs, fs.Parse(args)); err != nil {
		return err
	}
	switch {
	case f.file == "":
		return errors.New("flag -secret-file is missing: it names the file with the secret that roost serve or the Phoenix application has")
	case fs.NArg() != 1 || fs.Arg(0) == "":
		return fmt.Errorf("token takes one ID behind the flags, as in roost token -secret-file %s 42; there are %d", f.file, fs.NArg())
	case *maxAge < time.Second: // tokens count seconds
		return fmt.Errorf("flag -max-age is %v: the token would have expired already", *maxAge)
	}
	keys, warning, err := f.keyring(*maxAge)
	fmt.Fprint(stderr, warning)
	if err != nil {
		return err
	}
	signed, err := keys.Sign(datum(fs.Arg(0)))
	if err == nil {
		fmt.Fprintln(stdout, signed)
	}
	return err
}

// datum is an id as Phoenix applications have it: most ids are integers.
func datum(id string) any {
	if n, err := strconv.ParseInt(id, 10, 64); err == nil && strconv.FormatInt(n, 10) == id {
		return n
	}
	return id
}

// printSecret is `roost secret`: 384 random bits in 64 characters, as long as
// what mix phx.gen.secret prints.
func printSecret(args []string, stdout io.Writer) error {
	if len(args) > 0 {
		return fmt.Errorf("secret takes no argument %q: it prints a new one each time", args[0])
	}
	var b [48]byte
	_, _ = rand.Read(b[:]) // never fails
	_, err := fmt.Fprintln(stdout, base64.RawURLEncoding.EncodeToString(b[:]))
	return err
}
