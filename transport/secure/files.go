package secure

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/roostgo/roost/reload"
)

// Files are PEM files that are read again when they change. Cert and Key are
// needed.
type Files struct {
	// Cert has the server's certificate, and those between it and its root.
	Cert string

	// Key has its private key.
	Key string

	// ClientCA has the authorities that clients' certificates come from; then
	// nobody gets in without one. Default: clients are not asked for any.
	ClientCA string

	// TicketKeys has the keys of session tickets, so that a session of one server
	// is resumed by all that have the same: each line is one, of 32 bytes or
	// more, such as `roost secret` prints; blank lines and those that begin with #
	// are none. The first makes tickets, all are accepted.
	// Default: those of Base.
	TicketKeys string

	// Base is what else the configuration says; its GetConfigForClient is not
	// asked. Default: TLS 1.3 at least.
	Base *tls.Config

	// Every is how often they are looked at. Default: 10 s.
	Every time.Duration

	// Now has them read at once; see reload.Config. Default: never.
	Now <-chan os.Signal

	// Report is told of every change, with nil when it was taken over, or why
	// the earlier files stay in use. Default: nobody.
	Report func(error)
}

// Reloader serves what is in Files, and follows them while it runs. New
// handshakes get what is new; connections stay, and sessions are resumed unless
// the client's certificate no longer comes from ClientCA. It is safe for
// concurrent use.
type Reloader struct {
	files   Files
	watcher *reload.Watcher
	current atomic.Pointer[tls.Config]
}

// NewReloader reads the files once. The error says which one is wrong.
func NewReloader(f Files) (*Reloader, error) {
	if f.Base == nil {
		f.Base = &tls.Config{MinVersion: tls.VersionTLS13}
	}
	r := &Reloader{files: f}
	var err error
	r.watcher, err = reload.New(reload.Config{
		Files: []string{f.Cert, f.Key, f.ClientCA, f.TicketKeys}, Load: r.load, Every: f.Every, Now: f.Now, Report: f.Report,
	})
	return r, err
}

// Config is for Listen, or for any other server. It follows the files.
func (r *Reloader) Config() *tls.Config {
	c := r.current.Load().Clone()
	c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return r.current.Load(), nil }
	return c
}

// Run looks at the files until ctx is done.
func (r *Reloader) Run(ctx context.Context) error { return r.watcher.Run(ctx) }

// Stats counts how often the files were read again. It may be called at any time.
func (r *Reloader) Stats() reload.Stats { return r.watcher.Stats() }

func (r *Reloader) load() error {
	c, err := r.files.read()
	if err != nil {
		return err
	}
	r.current.Store(c)
	return nil
}

func (f *Files) read() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(f.Cert, f.Key)
	if err != nil {
		return nil, fmt.Errorf("secure: certificate %s with key %s: %w (both are PEM files, and belong together)", f.Cert, f.Key, err)
	}
	c := f.Base.Clone()
	c.Certificates = []tls.Certificate{pair}
	if f.TicketKeys != "" {
		keys, err := ticketKeys(f.TicketKeys)
		if err != nil {
			return nil, err
		}
		c.SetSessionTicketKeys(keys)
	}
	if f.ClientCA == "" {
		return c, nil
	}
	c.ClientAuth = tls.RequireAndVerifyClientCert
	c.ClientCAs, err = authorities(f.ClientCA)
	return c, err
}

func authorities(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file) //nolint:gosec // the operator names it
	if err != nil {
		return nil, fmt.Errorf("secure: authorities of clients: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("secure: authorities of clients: %s has no certificate: %w", file, errNoPEM)
	}
	return pool, nil
}

var errNoPEM = errors.New("it must have PEM blocks of the type CERTIFICATE")
