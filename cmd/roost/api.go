package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"sync/atomic"

	"github.com/roostgo/roost"
)

// api is how a backend publishes over HTTP, and ends connections.
type api struct {
	endpoint  *roost.Endpoint
	accepting *atomic.Bool
	named     bool // connections have ids
}

// maxBody is how many bytes a request to the API may have.
const maxBody = 1 << 20

// ServeHTTP answers POST /api/broadcast and /api/disconnect.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	act := a.action(r.URL.Path)
	switch {
	case act == nil:
		problem(w, http.StatusNotFound, "there are only /api/broadcast and /api/disconnect here")
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		problem(w, http.StatusMethodNotAllowed, "use POST")
	default:
		act(w, r)
	}
}

// action is what a path is for; nil is nothing.
func (a *api) action(path string) http.HandlerFunc {
	switch path {
	case "/api/broadcast":
		return a.broadcast
	case "/api/disconnect":
		return a.disconnect
	}
	return nil
}

// request is what the body of a request to the API says.
type request interface {
	shape() string // what it looks like
	check() error  // says what is wrong, and sets what is left out
}

// read reads and checks the body.
func read(w http.ResponseWriter, r *http.Request, into request) (status int, err error) {
	// Only a page of the same origin can send JSON without asking first.
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		return http.StatusUnsupportedMediaType, errors.New("the body must be JSON: send the header content-type: application/json")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge, fmt.Errorf("the body is over %d bytes", maxBody)
	case err != nil:
		return http.StatusBadRequest, fmt.Errorf("the body could not be read: %w", err)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return http.StatusBadRequest, fmt.Errorf("the body is not %s: %w", into.shape(), err)
	}
	return http.StatusBadRequest, into.check()
}

// health says that the process lives.
func (a *api) health(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]string{"status": "ok"})
}

// acceptUntil has the server ready until ctx is done, which it may be already.
func (a *api) acceptUntil(ctx context.Context) {
	a.accepting.Store(true)
	context.AfterFunc(ctx, func() { a.accepting.Store(false) }) // not before: true would be the last word
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
