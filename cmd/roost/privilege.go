package main

import (
	"errors"
	"fmt"
	"os/user"
	"strconv"
)

// errRoot is why a server that the network reaches does not run as root.
var errRoot = errors.New("it would serve the network as root, with the rights to do anything on this machine: " +
	"give it a user to become once it listens, as in -user roost, or insist with -allow-root")

const rootWarning = "Roost runs as root: only this machine can reach it, but -user roost, or starting it as somebody else, is safer.\n"

// account is whom a process can become.
type account struct {
	name     string
	uid, gid int
	groups   []int
}

// findAccount looks a user up, and its groups.
func findAccount(name string) (account, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return account{}, fmt.Errorf("flag -user: %w: create it first, as in useradd --system %s", err, name)
	}
	ids, err := u.GroupIds()
	if err != nil {
		return account{}, fmt.Errorf("flag -user: groups of %s: %w", name, err)
	}
	a := account{name: name}
	uid, uidErr := strconv.Atoi(u.Uid)
	gid, gidErr := strconv.Atoi(u.Gid)
	if err := errors.Join(uidErr, gidErr); err != nil { // on Windows they are no numbers
		return account{}, fmt.Errorf("flag -user: %w", errors.Join(errors.ErrUnsupported, err))
	}
	a.uid, a.gid = uid, gid
	for _, id := range ids {
		if n, err := strconv.Atoi(id); err == nil {
			a.groups = append(a.groups, n)
		}
	}
	return a, nil
}

// privilege is what is done about the rights of a process that listens.
type privilege struct {
	root      bool   // it is root
	local     bool   // only this machine reaches it
	allowRoot bool   // the flag
	user      string // the flag; "": nobody else
}

// settle drops rights, or says why the server must not go on; warning is for the
// user's eyes.
func (p privilege) settle(become func(account) error) (warning string, err error) {
	if p.user != "" {
		a, err := findAccount(p.user)
		if err == nil {
			err = become(a)
		}
		if err != nil {
			return "", err
		}
		p.root = a.uid == 0
	}
	switch {
	case !p.root || p.allowRoot:
		return "", nil
	case p.local:
		return rootWarning, nil
	}
	return "", errRoot
}
