package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
)

// dismissal is the body of POST /api/disconnect: whose connections end.
type dismissal struct {
	ID json.RawMessage `json:"id"` // a string or an integer, as in the token
}

func (*dismissal) shape() string { return `{"id":"…"}` }

func (d *dismissal) check() error {
	if _, ok := d.user(); !ok {
		return errors.New(`"id" must be what the user's token holds, a string or an integer, as in {"id":42}`)
	}
	return nil
}

// user is the id as a socket id has it.
func (d *dismissal) user() (id string, ok bool) {
	if bytes.HasPrefix(d.ID, []byte{'"'}) {
		err := json.Unmarshal(d.ID, &id)
		return id, err == nil && id != ""
	}
	id = string(d.ID)
	if id == "-0" {
		return "0", true
	}
	// JSON writes an integer in one way only. Nothing is computed with it: that
	// takes seconds for one that fills the body.
	return id, id != "" && strings.Trim(strings.TrimPrefix(id, "-"), "0123456789") == ""
}

// disconnect ends all connections of a user, on all nodes. Clients come back by
// themselves, and are asked for their token again.
func (a *api) disconnect(w http.ResponseWriter, r *http.Request) {
	if !a.named {
		problem(w, http.StatusConflict, "nobody knows whose a connection is: clients say who they are with a token, which -secret-file has the server ask for")
		return
	}
	var d dismissal
	if status, err := read(w, r, &d); err != nil {
		problem(w, status, err.Error())
		return
	}
	id, _ := d.user()
	if err := a.endpoint.Disconnect(r.Context(), socketIDs+id); err != nil {
		problem(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	answer(w, http.StatusOK, map[string]string{"status": "ok"})
}
