package main

import (
	"encoding/json"
	"net/http"

	"github.com/roostgo/roost"
)

// control lets a test do from outside what an application's own code does.
type control struct{ endpoint *roost.Endpoint }

func (c control) mount(mux *http.ServeMux) {
	mux.HandleFunc("POST /control/disconnect", c.disconnect)
	mux.HandleFunc("POST /control/broadcast", c.broadcast)
	mux.HandleFunc("POST /control/release", c.release)
}

// disconnect ends the sockets with the id.
func (c control) disconnect(w http.ResponseWriter, r *http.Request) {
	answer(w, c.endpoint.Disconnect(r.Context(), r.FormValue("id")))
}

// broadcast sends an event as the endpoint, without a channel.
func (c control) broadcast(w http.ResponseWriter, r *http.Request) {
	payload := json.RawMessage(r.FormValue("payload"))
	answer(w, c.endpoint.Broadcast(r.Context(), r.FormValue("topic"), r.FormValue("event"), payload))
}

// release replies to the message that Hold kept for the topic.
func (c control) release(w http.ResponseWriter, r *http.Request) {
	ref, ok := held.LoadAndDelete(r.FormValue("topic"))
	if !ok {
		http.Error(w, "nothing is held for this topic", http.StatusNotFound)
		return
	}
	answer(w, ref.(roost.Ref).Reply(roost.ReplyOK(map[string]bool{"late": true})))
}

func answer(w http.ResponseWriter, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}
