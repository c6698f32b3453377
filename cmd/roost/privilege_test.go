package main

import (
	"errors"
	"os/user"
	"strings"
	"testing"
)

func TestOnlyThisMachineIsServedAsRootUnlessTold(t *testing.T) {
	for _, c := range []struct {
		name   string
		rights privilege
		warns  bool
		want   error
	}{
		{"nobody special", privilege{}, false, nil},
		{"root, for this machine", privilege{root: true, local: true}, true, nil},
		{"root, for the network", privilege{root: true}, false, errRoot},
		{"root that was told to", privilege{root: true, allowRoot: true}, false, nil},
	} {
		warning, err := c.rights.settle(nil)
		if !errors.Is(err, c.want) || (warning != "") != c.warns {
			t.Errorf("%s: got %q, %v", c.name, warning, err)
		}
	}
}

func TestTheServerBecomesWhomItIsTold(t *testing.T) {
	self, err := user.Current()
	must(t, err)
	var became account
	rights := privilege{root: true, local: true, user: self.Username}
	_, err = rights.settle(func(a account) error { became = a; return nil })
	must(t, err)
	if became.name != self.Username || len(became.groups) == 0 {
		t.Errorf("it became %+v", became)
	}
	failed := errors.New("no")
	if _, err = rights.settle(func(account) error { return failed }); !errors.Is(err, failed) {
		t.Errorf("where it cannot: got %v", err)
	}
	rights.local = false
	if _, err = rights.settle(func(account) error { return nil }); self.Uid == "0" && !errors.Is(err, errRoot) {
		t.Errorf("root that becomes root: got %v", err)
	}
	rights.user = "nobody-of-that-name"
	if _, err = rights.settle(nil); err == nil || !strings.Contains(err.Error(), "useradd --system") {
		t.Errorf("an unknown user: got %v", err)
	}
}
