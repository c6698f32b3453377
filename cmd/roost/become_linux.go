package main

import (
	"errors"
	"fmt"
	"syscall"
)

// become gives up what rights the process has beyond those of an account, for
// good and on all threads: groups first, for which one must be root.
func become(a account) error {
	if syscall.Geteuid() == a.uid && a.uid != 0 {
		return nil // it is already
	}
	err := syscall.Setgroups(a.groups)
	if err == nil {
		err = syscall.Setgid(a.gid)
	}
	if err == nil {
		err = syscall.Setuid(a.uid)
	}
	if err != nil {
		return fmt.Errorf("flag -user: become %s: %w: only root can; start it as root, or as %s without the flag", a.name, err, a.name)
	}
	if a.uid != 0 && syscall.Setuid(0) == nil {
		return errors.New("flag -user: the process could become root again: start it without its capabilities to do so")
	}
	return nil
}
