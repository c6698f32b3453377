// Package hostile sends an endpoint what no honest client sends: the process
// lives, others are served, and the connection ends as RFC 6455 says, or goes
// on.
package hostile

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/roostgo/roost/internal/testleak"
)

// TestMain fails when a goroutine or a descriptor survives the tests.
func TestMain(m *testing.M) { testleak.Main(m, func() error { return goleak.Find() }) }
