package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/roostgo/roost/wire"
)

// publication is the body of POST /api/broadcast.
type publication struct {
	Topic   string          `json:"topic"`
	Event   string          `json:"event"`
	Payload json.RawMessage `json:"payload"`
}

func (*publication) shape() string { return `{"topic":"…","event":"…","payload":{…}}` }

func (p *publication) check() error {
	switch {
	case p.Topic == "":
		return errors.New(`"topic" is missing or empty: it says who gets the message, as in "room:lobby"`)
	case p.Event == "":
		return errors.New(`"event" is missing or empty: it says what the message is, as in "shout"`)
	case reserved(p.Event):
		return fmt.Errorf("event %q is reserved: names that begin with phx_ or chan_reply_ are the protocol's own", p.Event)
	case len(p.Payload) == 0 || string(p.Payload) == "null":
		p.Payload = json.RawMessage("{}")
	case !wire.JSON(p.Payload).IsObject():
		return errors.New(`"payload" must be a JSON object, as in {"body":"hello"}`)
	}
	return nil
}

// broadcast publishes.
func (a *api) broadcast(w http.ResponseWriter, r *http.Request) {
	var p publication
	if status, err := read(w, r, &p); err != nil {
		problem(w, status, err.Error())
		return
	}
	switch err := a.endpoint.Broadcast(r.Context(), p.Topic, p.Event, p.Payload); {
	case errors.Is(err, wire.ErrNotUTF8), errors.Is(err, wire.ErrSyntax):
		problem(w, http.StatusBadRequest, err.Error())
	case err != nil:
		problem(w, http.StatusServiceUnavailable, err.Error())
	default:
		answer(w, http.StatusOK, map[string]string{"status": "ok"})
	}
}
