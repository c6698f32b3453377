package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/roostgo/roost/test/client"
)

func TestRootBecomesAnotherUserOnAllThreadsAndServes(t *testing.T) {
	nobody, err := findAccount("nobody")
	if err != nil || os.Geteuid() != 0 {
		t.Skipf("only root can become another user, if there is one: %v", err)
	}
	p := spawn(t, "-user", "nobody")
	c := client.Open(t, "ws://"+p.addr+"/socket/websocket?vsn=2.0.0", client.Options{})
	c.ExpectQuiet(t)
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", p.cmd.Process.Pid))
	must(t, err)
	if len(threads) == 0 {
		t.Fatal("no threads")
	}
	ids := fmt.Sprintf("\t%[1]d\t%[1]d\t%[1]d\t%[1]d\n", nobody.uid)
	gids := fmt.Sprintf("\t%[1]d\t%[1]d\t%[1]d\t%[1]d\n", nobody.gid)
	for _, file := range threads {
		status, err := os.ReadFile(file)
		must(t, err)
		if !strings.Contains(string(status), "Uid:"+ids) || !strings.Contains(string(status), "Gid:"+gids) {
			t.Errorf("%s says otherwise: %s", file, status)
		}
	}
	p.signal(t, syscall.SIGTERM)
	c.ExpectClose(t, 1012)
	receive(t, p.said, "end of the output")
	must(t, p.cmd.Wait())
}

func TestNobodyElseCanBecomeAnotherUser(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root can")
	}
	if err := become(account{name: "root"}); err == nil || !strings.Contains(err.Error(), "only root can") {
		t.Errorf("got %v", err)
	}
}
