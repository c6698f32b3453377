// Package floors says which package may import which.
//
// The house has floors; a package imports only what is below it. That keeps
// transports from knowing of channels, the bus from knowing of transports, and
// the command from using a door that the library's users do not have. The test
// beside this file parses the imports of every package and fails on an
// inversion.
package floors

import "strings"

// Module is the path that imports of this repository begin with.
const Module = "github.com/roostgo/roost"

// home is a package, or a folder of them, and its floor.
type home struct {
	path  string // below the module; "." is its root
	floor int
	below bool // packages in the folder live on the same floor

	neighbours bool // packages in the folder import each other
	publicOnly bool // imports nothing that the library's users could not import
	forTests   bool // imported by tests of any floor, and by nothing else on lower ones
}

// house is docs/explanation/architecture.md as data. The longest path wins.
var house = []home{
	{path: "cmd/roost", floor: 6, below: true, publicOnly: true},
	{path: "examples", floor: 6, below: true, publicOnly: true},
	{path: "test", floor: 6, below: true, neighbours: true},
	{path: "test/client", floor: 5, forTests: true},
	{path: "playground", floor: 5, publicOnly: true},
	{path: "autocert", floor: 5, publicOnly: true},
	{path: ".", floor: 4},
	{path: "transport/websocket", floor: 3},
	{path: "pubsub/pubsubtest", floor: 3, forTests: true},
	{path: "transport", floor: 2},
	{path: "transport/secure", floor: 2},
	{path: "pubsub", floor: 2},
	{path: "wire/wiretest", floor: 2, forTests: true},
	{path: "ratelimit/ratelimittest", floor: 2, forTests: true},
	{path: "ratelimit", floor: 1},
	{path: "internal/testcert", floor: 0, forTests: true},
	{path: "reload", floor: 1},
	{path: "secureheaders", floor: 1},
	{path: "internal/testleak", floor: 0, forTests: true},
	{path: "telemetry", floor: 1},
	{path: "token", floor: 1},
	{path: "wire", floor: 1},
	{path: "internal", floor: 0, below: true},
}

// outside are the modules of others that may be imported, and where. Every
// program that imports Roost links them, so the list is short. An adapter that
// needs a client library gets a package of its own, and a line here.
var outside = []struct {
	module string
	path   string // below which it may be imported; "" is everywhere
	tests  bool   // by tests only
}{
	{module: "golang.org/x/sys"},
	{module: "golang.org/x/crypto", path: "internal/tlsrecord"}, // ChaCha20-Poly1305, which crypto/tls has only for itself
	{module: "golang.org/x/crypto/acme", path: "autocert"},      // linked by those who import autocert only
	{module: "github.com/thejerf/suture/v4", path: "."},
	{module: "golang.org/x/crypto", path: "token"},        // XChaCha20-Poly1305, which the standard library keeps to itself
	{module: "golang.org/x/crypto", path: "test/hostile"}, // the same, of an attacker on a machine without AES in hardware
	{module: "go.uber.org/goleak", tests: true},
}

// homeOf finds where a package lives; false when it has no home.
func homeOf(pkg string) (home, bool) {
	var found home
	for _, h := range house {
		if (h.path == pkg || h.below && strings.HasPrefix(pkg, h.path+"/")) && len(h.path) > len(found.path) {
			found = h
		}
	}
	return found, found.path != ""
}

// relative is an import path below the module; false when it is somebody else's.
func relative(path string) (string, bool) {
	if path == Module {
		return ".", true
	}
	return strings.CutPrefix(path, Module+"/")
}
