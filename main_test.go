package roost

import (
	"log/slog"
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails when a goroutine is left after all tests.
func TestMain(m *testing.M) {
	slog.SetLogLoggerLevel(slog.LevelError) // what the examples' clients do is in their output
	goleak.VerifyTestMain(m)
}
