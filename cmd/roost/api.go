package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"sync/atomic"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/wire"
)

// api is how a backend publishes over HTTP.
type api struct {
	endpoint  *roost.Endpoint
	accepting *atomic.Bool
}

// maxBody is how many bytes a request to the API may have.
const maxBody = 1 << 20

// publication is the body of POST /api/broadcast.
type publication struct {
	Topic   string          `json:"topic"`
	Event   string          `json:"event"`
	Payload json.RawMessage `json:"payload"`
}

// ServeHTTP answers POST /api/broadcast.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/api/broadcast" {
		problem(w, http.StatusNotFound, "there is only /api/broadcast here")
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		problem(w, http.StatusMethodNotAllowed, "use POST")
		return
	}
	p, status, err := readPublication(w, r)
	if err != nil {
		problem(w, status, err.Error())
		return
	}
	a.publish(w, r, p)
}

func (a *api) publish(w http.ResponseWriter, r *http.Request, p publication) {
	switch err := a.endpoint.Broadcast(r.Context(), p.Topic, p.Event, p.Payload); {
	case errors.Is(err, wire.ErrNotUTF8), errors.Is(err, wire.ErrSyntax):
		problem(w, http.StatusBadRequest, err.Error())
	case err != nil:
		problem(w, http.StatusServiceUnavailable, err.Error())
	default:
		answer(w, http.StatusOK, map[string]string{"status": "ok"})
	}
}

// readPublication reads and checks the body.
func readPublication(w http.ResponseWriter, r *http.Request) (p publication, status int, err error) {
	// Only a page of the same origin can send JSON without asking first.
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		return p, http.StatusUnsupportedMediaType, errors.New("the body must be JSON: send the header content-type: application/json")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return p, http.StatusRequestEntityTooLarge, fmt.Errorf("the body is over %d bytes", maxBody)
	case err != nil:
		return p, http.StatusBadRequest, fmt.Errorf("the body could not be read: %w", err)
	}
	if err := json.Unmarshal(body, &p); err != nil {
		return p, http.StatusBadRequest, fmt.Errorf(`the body is not {"topic":"…","event":"…","payload":{…}}: %w`, err)
	}
	return p, http.StatusBadRequest, p.check()
}

// check says what is wrong with a publication, and sets what it leaves out.
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

// health says that the process lives.
func (a *api) health(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]string{"status": "ok"})
}

// ready says whether new connections should come here.
func (a *api) ready(w http.ResponseWriter, _ *http.Request) {
	if !a.accepting.Load() {
		problem(w, http.StatusServiceUnavailable, "this server is stopping")
		return
	}
	answer(w, http.StatusOK, map[string]string{"status": "ok"})
}

func problem(w http.ResponseWriter, status int, text string) {
	answer(w, status, map[string]string{"error": text})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may have gone
}
