package wire_test

import (
	"testing"

	"github.com/roostgo/roost/wire"
	"github.com/roostgo/roost/wire/wiretest"
)

func TestV1PassesTheSuite(t *testing.T) { wiretest.Run(t, wire.V1, wiretest.V1) }

func TestV2PassesTheSuite(t *testing.T) { wiretest.Run(t, wire.V2, wiretest.V2) }
