package main

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// asRoost, in the environment, makes the test binary the command itself.
const asRoost = "ROOST_TEST_AS_COMMAND"

// TestMain fails when a goroutine is left after all tests.
func TestMain(m *testing.M) {
	if os.Getenv(asRoost) != "" {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

// told runs a command that ends by itself.
func told(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, problems bytes.Buffer
	err = run(t.Context(), args, &out, &problems)
	return out.String(), problems.String(), err
}

func TestTheCommandExplainsItself(t *testing.T) {
	for _, args := range [][]string{{}, {"help"}, {"-h"}, {"--help"}} {
		out, _, err := told(t, args...)
		if err != nil || !strings.Contains(out, "Usage: roost COMMAND") || !strings.Contains(out, "serve") {
			t.Errorf("%q: got %q, %v", args, out, err)
		}
	}
}

func TestAnUnknownCommandSaysWhichThereAre(t *testing.T) {
	_, _, err := told(t, "server")
	if err == nil || !strings.Contains(err.Error(), `unknown command "server": use serve, secret, token, bench or echo`) {
		t.Errorf("got %v", err)
	}
}

func TestEveryCommandListsItsFlags(t *testing.T) {
	_, problems, err := told(t, "serve", "-h")
	if !errors.Is(err, flag.ErrHelp) || !strings.Contains(problems, "-listen") || !strings.Contains(problems, "127.0.0.1:4000") {
		t.Errorf("serve: got %q, %v", problems, err)
	}
}
