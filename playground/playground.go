// Package playground is the page on which one tries out a Roost endpoint.
//
// The page connects to the socket by itself and joins room:lobby, shows everything that arrives and
// leaves, and pushes what is typed. It is plain HTML, CSS and ES modules, embedded, speaks the
// protocol itself and asks nothing of any other host.
package playground

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"time"
)

const (
	defaultSocketPath    = "/socket/websocket"
	defaultBroadcastPath = "/api/broadcast"

	pageName = "index.html"
)

// contentSecurityPolicy lets the page load its own files and open a WebSocket anywhere, as its
// address field promises, and nothing else.
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; " +
	"connect-src 'self' ws: wss:; img-src 'self' data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// contentTypes are spelled out: what the mime package knows differs from machine to machine.
var contentTypes = map[string]string{
	".css":  "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

//go:embed static
var static embed.FS

// Options say where the page finds what it talks to. The zero value fits `roost serve`.
type Options struct {
	// SocketPath is the path of the WebSocket transport that the page connects to when it opens.
	// Default: /socket/websocket.
	SocketPath string

	// BroadcastPath is the path in the curl line that the page shows. Default: /api/broadcast.
	BroadcastPath string

	// Token says that the socket asks for a token: the page then waits for one before it connects,
	// and sends it as phoenix.js's authToken does.
	Token bool

	// Key says that publishing asks for a key: the curl line then has a place for it.
	Key bool
}

// Handler serves the page and its files, and 404 for every other path.
//
// The page is at the root of the handler. Mounted below the root of a mux it needs a trailing slash and
// http.StripPrefix: mux.Handle("/playground/", http.StripPrefix("/playground", playground.Handler(opts))).
// Anyone who can open it can talk to the socket as the page does: it adds no rights of its own. It
// panics when the embedded files do not parse, which its tests exclude.
func Handler(opts Options) http.Handler {
	mux := http.NewServeMux()
	for name, body := range files(opts) {
		mux.Handle("GET "+route(name), serve(name, body))
	}
	return secured(mux)
}

func (o Options) withDefaults() Options {
	if o.SocketPath == "" {
		o.SocketPath = defaultSocketPath
	}
	if o.BroadcastPath == "" {
		o.BroadcastPath = defaultBroadcastPath
	}
	return o
}

// files are the embedded ones by name, with the options written into the page.
func files(opts Options) map[string][]byte {
	bodies := make(map[string][]byte)
	entries, err := fs.ReadDir(static, "static")
	if err != nil {
		panic("playground: " + err.Error())
	}
	for _, entry := range entries {
		body, err := static.ReadFile(path.Join("static", entry.Name()))
		if err != nil {
			panic("playground: " + err.Error())
		}
		bodies[entry.Name()] = body
	}
	bodies[pageName] = page(string(bodies[pageName]), opts.withDefaults())
	return bodies
}

func page(source string, opts Options) []byte {
	var out bytes.Buffer
	if err := template.Must(template.New(pageName).Parse(source)).Execute(&out, opts); err != nil {
		panic("playground: " + err.Error())
	}
	return out.Bytes()
}

func route(name string) string {
	if name == pageName {
		return "/{$}"
	}
	return "/" + name
}

// serve answers with body. Browsers keep it and ask each time whether it is still the same, so that
// the page and its modules are always of one version.
func serve(name string, body []byte) http.Handler {
	sum := sha256.Sum256(body)
	tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Type", contentTypes[path.Ext(name)])
		header.Set("Cache-Control", "no-cache")
		header.Set("ETag", tag)
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(body))
	})
}
