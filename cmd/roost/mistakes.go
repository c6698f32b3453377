package main

import (
	"flag"
	"fmt"
	"log/slog"
	"regexp"
	"time"
)

// badValue is what package flag says of a value that it cannot read. Its reason,
// mostly "parse error", mends nothing.
var badValue = regexp.MustCompile(`^invalid (?:boolean )?value "(.*)" for (?:flag )?-([^:]+): `)

// explained has an error of fs.Parse say what the flag takes.
func explained(fs *flag.FlagSet, err error) error {
	if err == nil {
		return nil
	}
	said := badValue.FindStringSubmatch(err.Error())
	if said == nil {
		return err
	}
	value, ok := fs.Lookup(said[2]).Value.(flag.Getter)
	if !ok {
		return err // the flag's own type explains itself
	}
	var takes string
	switch value.Get().(type) {
	case time.Duration:
		takes = "a time with its unit, as in 5s, 300ms or 1m30s"
	case int, int64, uint, uint64:
		takes = "a whole number, as in 1000"
	case bool:
		takes = "true or false"
	case *slog.Level:
		takes = "debug, info, warn or error"
	default:
		return err
	}
	return fmt.Errorf("flag -%s is %q: it takes %s", said[2], said[1], takes)
}
