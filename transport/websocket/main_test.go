package websocket_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/roostgo/roost/internal/testleak"
)

// TestMain fails when a goroutine or a descriptor survives the tests.
func TestMain(m *testing.M) { testleak.Main(m, func() error { return goleak.Find() }) }
