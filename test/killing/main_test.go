// Package killing lets clients of an endpoint die in every way, under load,
// and counts what is left of them: nothing.
package killing

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/roostgo/roost/internal/testleak"
)

// TestMain fails when a goroutine or a descriptor survives the tests.
func TestMain(m *testing.M) { testleak.Main(m, func() error { return goleak.Find() }) }
