package secure

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"strings"
)

// minTicketKey is how short a key of session tickets may be, in bytes.
const minTicketKey = 32

// ticketKeys are the keys of a file: hashes of its lines, so that a line may be
// of any text and length. No error has a line in it.
func ticketKeys(file string) (keys [][32]byte, err error) {
	text, err := os.ReadFile(file) //nolint:gosec // the operator names it
	if err != nil {
		return nil, fmt.Errorf("secure: keys of session tickets: %w", err)
	}
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case len(line) < minTicketKey:
			return nil, fmt.Errorf("secure: keys of session tickets: line %d of %s has %d bytes: %w", number, file, len(line), errShortKey)
		default:
			keys = append(keys, sha256.Sum256([]byte(line)))
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("secure: keys of session tickets: %s has none: %w", file, errShortKey)
	}
	return keys, nil
}

var errShortKey = errors.New("a key is a line of 32 bytes or more: take what `roost secret` prints")
