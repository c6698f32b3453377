// Package client is a raw WebSocket client for tests.
//
// It shows what is on the wire and sends whatever a test wants to send, well-formed or not. It is strict with the server:
// a frame that is masked, fragmented, has reserved bits that were not negotiated or a length that is not minimal is an
// error. Its frame reader is its own, so that a mistake in the server's framing is not read back by the same code.
//
// Everything has a deadline: a test that uses it fails, it never hangs.
package client

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/roostgo/roost/internal/frame"
)

// DefaultTimeout bounds the handshake, each write and each expectation, unless Options say otherwise.
const DefaultTimeout = 20 * time.Second

// maxBody is how much of a refusal's body is read.
const maxBody = 1 << 20

// Errors of the handshake.
var (
	ErrRefused = errors.New("client: handshake refused")
	ErrAccept  = errors.New("client: wrong Sec-WebSocket-Accept")
)

// Options is what a handshake carries besides the URL. The zero value is a plain one.
type Options struct {
	Method       string        // default GET
	Header       http.Header   // replaces the handshake's own headers by name; one with an empty list removes it
	Host         string        // the Host header; default the URL's host
	Subprotocols []string      // offered, in this order
	Deflate      bool          // offers permessage-deflate, without context takeover
	Early        []byte        // sent in one write with the request, as if the server had accepted already
	TLS          *tls.Config   // of wss URLs; default verifies against the system's roots
	Timeout      time.Duration // default DefaultTimeout

	// Dial connects, e.g. with small socket buffers or from a certain address. Default net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Dial connects to a ws, wss, http or https URL and upgrades.
//
// A response other than 101 comes with [ErrRefused]; its body has been read and can be read again.
func Dial(ctx context.Context, rawURL string, opts Options) (*Conn, *http.Response, error) {
	if opts.Timeout <= 0 {
		opts.Timeout = DefaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, opts.Timeout)
	defer cancel()
	req, key, err := opts.request(ctx, rawURL)
	if err != nil {
		return nil, nil, err
	}
	nc, err := opts.connect(ctx, req.URL)
	if err != nil {
		return nil, nil, fmt.Errorf("client: connect to %s: %w", req.URL.Host, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = nc.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	c, resp, err := opts.upgrade(nc, req, key)
	if err != nil {
		_ = nc.Close()
	}
	return c, resp, err
}

// Open is [Dial] for a test: it fails the test when refused, and drops the connection when the test ends.
func Open(t testing.TB, rawURL string, opts Options) *Conn {
	t.Helper()
	c, resp, err := Dial(t.Context(), rawURL, opts)
	if err != nil {
		t.Fatalf("open %s: %v%s", rawURL, err, describe(resp))
	}
	t.Cleanup(c.Drop)
	return c
}

// Refused is [Dial] for a test of a handshake that the server must refuse, with the given status; it returns the body.
func Refused(t testing.TB, rawURL string, opts Options, status int) string {
	t.Helper()
	c, resp, err := Dial(t.Context(), rawURL, opts)
	if err == nil {
		c.Abort()
		t.Fatalf("%s was accepted, want status %d", rawURL, status)
	}
	if !errors.Is(err, ErrRefused) || resp.StatusCode != status {
		t.Fatalf("%s: got %v%s, want status %d", rawURL, err, describe(resp), status)
	}
	body, _ := io.ReadAll(resp.Body) // from memory
	return string(body)
}

// describe is a response for a failed test's message.
func describe(resp *http.Response) string {
	if resp == nil {
		return ""
	}
	body, _ := io.ReadAll(resp.Body)
	return fmt.Sprintf(" (%s, body %q)", resp.Status, body)
}

// request is the handshake's request, and the key in it.
func (o *Options) request(ctx context.Context, rawURL string) (*http.Request, string, error) {
	method := o.Method
	if method == "" {
		method = http.MethodGet
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, "", fmt.Errorf("client: url: %w", err)
	}
	u.Scheme = strings.Replace(u.Scheme, "ws", "http", 1)
	req, err := http.NewRequestWithContext(ctx, method, u.String(), nil)
	if err != nil {
		return nil, "", fmt.Errorf("client: request: %w", err)
	}
	if o.Host != "" {
		req.Host = o.Host
	}
	req.Header = o.header()
	return req, req.Header.Get("Sec-WebSocket-Key"), nil
}

// header is the handshake's own headers with those of the test.
func (o *Options) header() http.Header {
	var nonce [16]byte
	_, _ = rand.Read(nonce[:]) // never fails
	h := http.Header{}
	h.Set("Connection", "Upgrade")
	h.Set("Upgrade", "websocket")
	h.Set("Sec-WebSocket-Version", "13")
	h.Set("Sec-WebSocket-Key", base64.StdEncoding.EncodeToString(nonce[:]))
	if len(o.Subprotocols) > 0 {
		h.Set("Sec-WebSocket-Protocol", strings.Join(o.Subprotocols, ", "))
	}
	if o.Deflate {
		h.Set("Sec-WebSocket-Extensions", "permessage-deflate; server_no_context_takeover; client_no_context_takeover")
	}
	for name, values := range o.Header {
		h[http.CanonicalHeaderKey(name)] = values
	}
	return h
}

// connect opens the connection that the URL names.
func (o *Options) connect(ctx context.Context, u *url.URL) (net.Conn, error) {
	port := u.Port()
	if port == "" {
		port = u.Scheme // a service name: http, https
	}
	dial := o.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	nc, err := dial(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil || u.Scheme != "https" {
		return nc, err
	}
	return o.secure(ctx, nc, u.Hostname())
}

// secure starts TLS on a connection.
func (o *Options) secure(ctx context.Context, nc net.Conn, host string) (net.Conn, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.TLS != nil {
		config = o.TLS.Clone()
	}
	if config.ServerName == "" {
		config.ServerName = host
	}
	tc := tls.Client(nc, config)
	if err := tc.HandshakeContext(ctx); err != nil {
		_ = nc.Close()
		return nil, err
	}
	return tc, nil
}

// upgrade sends the request and reads the response.
func (o *Options) upgrade(nc net.Conn, req *http.Request, key string) (*Conn, *http.Response, error) {
	var out bytes.Buffer
	if err := req.Write(&out); err != nil {
		return nil, nil, fmt.Errorf("client: write request: %w", err)
	}
	if _, err := nc.Write(append(out.Bytes(), o.Early...)); err != nil {
		return nil, nil, fmt.Errorf("client: send request: %w", err)
	}
	in := bufio.NewReader(nc)
	resp, err := http.ReadResponse(in, req)
	if err != nil {
		return nil, nil, fmt.Errorf("client: read response: %w", err)
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return nil, resp, refusal(resp)
	}
	if resp.Header.Get("Sec-WebSocket-Accept") != frame.AcceptKey(key) {
		return nil, resp, ErrAccept
	}
	early, _ := in.Peek(in.Buffered())
	return &Conn{
		Response: resp,
		nc:       nc,
		timeout:  o.Timeout,
		deflate:  strings.Contains(resp.Header.Get("Sec-WebSocket-Extensions"), "permessage-deflate"),
		in:       bytes.Clone(early),
	}, resp, nil
}

// refusal reads the response's body, so that it outlives the connection.
func refusal(resp *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%w: %s: read body: %w", ErrRefused, resp.Status, err)
	}
	return fmt.Errorf("%w: %s", ErrRefused, resp.Status)
}
