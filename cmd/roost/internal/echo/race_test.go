//go:build race

package echo

// raced says that the race detector watches, under which large messages take
// ten times as long.
const raced = true
